import { stripVTControlCharacters } from 'node:util';
import { redact } from '../core/secret.ts';

/**
 * Text that is safe to show: secrets are `***`, and nothing that a registry, a host or a bundle
 * sent can move the cursor or change colours of the person's terminal. Line breaks and tabs stay.
 */
export function clean(text: string): string {
  return stripVTControlCharacters(redact(text)).replace(/[^\P{Cc}\n\t]/gu, '�');
}

/** One line of JSON in which every string is free of secrets. */
export function cleanJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'string' ? redact(item) : item));
}
