import { inspect } from 'node:util';

const known = new Set<string>();

/** A value that must never be shown: printing, JSON and inspect all give `***`. Read it with `reveal()`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    // Short strings would redact half of every message; such a secret still never prints through this class.
    if (value.length < 4) return;
    known.add(value);
    // How Kubernetes stores it and quotes it.
    known.add(Buffer.from(value).toString('base64'));
    // In JSON and in URLs.
    known.add(JSON.stringify(value).slice(1, -1));
    known.add(encodeURIComponent(value));
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '***';
  }

  toJSON(): string {
    return '***';
  }

  [inspect.custom](): string {
    return '***';
  }
}

/** `text` with every secret that was met in this process replaced by `***`; the last net before anything is printed or written. */
export function redact(text: string): string {
  return redactCounted(text).text;
}

/** The same, and how often one was replaced. */
export function redactCounted(text: string): { readonly text: string; readonly count: number } {
  let clean = text;
  let count = 0;
  // The longest first: one secret may be the beginning of another.
  for (const value of [...known].sort((a, b) => b.length - a.length)) {
    const parts = clean.split(value);
    count += parts.length - 1;
    clean = parts.join('***');
  }
  return { text: clean, count };
}
