import type { z } from 'zod';
import type { JsonPath } from './problem.ts';

/** A part of a document that fits its schema, and where it stands. */
export interface Part<T> {
  readonly path: JsonPath;
  readonly value: T;
}

/** The items of a list that fit; the others are reported by the schema check, and the rest can still be cross-checked. */
export function partsOf<T>(schema: z.ZodType<T>, list: unknown, path: JsonPath): Part<T>[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown, index) => {
    const result = schema.safeParse(item);
    return result.success ? [{ path: [...path, index], value: result.data }] : [];
  });
}

/** The `name` of every item of a list, whether or not the rest of the item fits. */
export function namesOf(list: unknown, path: JsonPath): Part<string>[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown, index) => {
    const name = item !== null && typeof item === 'object' && 'name' in item ? item.name : undefined;
    return typeof name === 'string' ? [{ path: [...path, index, 'name'], value: name }] : [];
  });
}

/** All but the first part of each value. */
export function repeated<T>(parts: readonly Part<T>[]): Part<T>[] {
  const seen = new Set<T>();
  return parts.filter((part) => seen.has(part.value) || !seen.add(part.value));
}
