import { canonicalJson, type Json } from '../core/canonical-json.ts';

/** Canonical JSON, a part for each item of each list of objects: whole it would be many times its size in memory. */
export function* jsonParts(value: Json): Generator<string> {
  if (isList(value)) {
    yield '[';
    for (const [at, item] of value.entries()) {
      if (at > 0) yield ',';
      yield* jsonParts(item);
    }
    yield ']';
  } else if (value !== null && typeof value === 'object' && Object.values(value).some(isList)) {
    const entries = Object.entries(value as Record<string, Json | undefined>)
      .filter((entry): entry is [string, Json] => entry[1] !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [at, [key, item]] of entries.entries()) {
      yield `${at === 0 ? '{' : ','}${JSON.stringify(key)}:`;
      yield* jsonParts(item);
    }
    yield '}';
  } else {
    yield canonicalJson(value);
  }
}

/** Lists of a few plain values are not worth it. */
function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value) && value.length > 4;
}
