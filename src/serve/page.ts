/** One page of a list. */
export interface Page {
  readonly items: readonly string[];
  /** The query of the page after it, when there is one. */
  readonly next?: URLSearchParams;
}

/** The order of the spec, “lexical or ASCIIbetical” (distribution-spec, listing tags): by character code, capitals first. */
export function lexical(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/**
 * The part of a list that `n` and `last` ask for (distribution-spec, listing tags). `last` need not be in the list.
 * @param items in `lexical` order
 * @returns undefined when `n` is no count
 */
export function pageOf(items: readonly string[], query: URLSearchParams): Page | undefined {
  const n = query.get('n');
  const last = query.get('last');
  if (n !== null && !/^\d{1,15}$/.test(n)) return undefined;
  const rest = last === null ? items : items.filter((item) => lexical(item, last) > 0);
  if (n === null) return { items: rest };
  const page = rest.slice(0, Number(n));
  const end = page.at(-1);
  if (end === undefined || page.length === rest.length) return { items: page };
  const next = new URLSearchParams(query);
  next.set('last', end);
  return { items: page, next };
}
