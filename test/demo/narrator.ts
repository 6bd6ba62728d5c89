import { stripVTControlCharacters } from 'node:util';

const COLUMNS = 78;
const bold = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
let steps = 0;

/** Starts a step: a title, and one or two lines on who does this and where. */
export function step(title: string, text = ''): void {
  steps += 1;
  heading(`${String(steps)}  ${title}`, text);
}

/** A title without a number. */
export function heading(title: string, text = ''): void {
  process.stdout.write(`\n${strong(title)}\n`);
  if (text !== '') say(text);
}

/** Plain text, wrapped. */
export function say(text: string): void {
  process.stdout.write(`${wrap(text).join('\n')}\n`);
}

/** Lines that must stay as they are. */
export function lines(...texts: readonly string[]): void {
  process.stdout.write(`${texts.join('\n')}\n`);
}

/** The command that runs now, as a person types it. */
export function prompt(command: string): void {
  process.stdout.write(`\n${strong(`$ ${command}`)}\n`);
}

function strong(text: string): string {
  return bold ? `\u001B[1m${text}\u001B[22m` : text;
}

function wrap(text: string): string[] {
  const result: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && stripVTControlCharacters(line).length + word.length >= COLUMNS) {
      result.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...result, line];
}
