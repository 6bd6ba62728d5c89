/** `text` as one word of a POSIX shell, whatever is in it except NUL (which no argument can hold). */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
