import type { Part } from './parts.ts';
import type { JsonPath } from './problem.ts';

/** A document as it was read, of which any part may be wrong. */
export type Raw = Readonly<Record<string, unknown>>;

/** What stands at a path, undefined when nothing does. */
export function valueAt(top: unknown, path: JsonPath): unknown {
  let at = top;
  for (const step of path) {
    if (at === null || typeof at !== 'object' || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<string | number, unknown>)[step];
  }
  return at;
}

/** The map at a path, an empty one when there is none. */
export function mapAt(raw: Raw, path: JsonPath): Raw {
  const value = valueAt(raw, path);
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Raw) : {};
}

/** The text at a path, or nothing. */
export function textAt(raw: Raw, path: JsonPath): Part<string>[] {
  const value = valueAt(raw, path);
  return typeof value === 'string' ? [{ path, value }] : [];
}

/** The texts in the list at a path. */
export function listAt(raw: Raw, path: JsonPath): Part<string>[] {
  return itemsAt(raw, path).flatMap((item) => textAt(raw, item));
}

/** The paths of the items of the list at a path. */
export function itemsAt(raw: Raw, path: JsonPath): JsonPath[] {
  const list = valueAt(raw, path);
  return Array.isArray(list) ? list.map((_, index) => [...path, index]) : [];
}
