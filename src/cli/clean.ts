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

/** The same value with every string in it safe to show, for views that put data between their own colours. */
export function cleaned<Value>(value: Value): Value {
  return cleanAny(value) as Value;
}

function cleanAny(value: unknown): unknown {
  if (typeof value === 'string') return clean(value);
  if (Array.isArray(value)) return value.map(cleanAny);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [clean(key), cleanAny(item)]));
}
