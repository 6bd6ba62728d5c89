export interface ContentRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** Bytes of the whole; undefined when the server does not say. */
  readonly total: number | undefined;
}

/** RFC 9110 14.4; undefined for anything else than one range of bytes. */
export function contentRange(text: string | undefined): ContentRange | undefined {
  const [, first, last, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(text ?? '') ?? [];
  if (first === undefined || last === undefined || Number(last) < Number(first)) return undefined;
  return { start: Number(first), end: Number(last) + 1, total: total === '*' ? undefined : Number(total) };
}

/** Bytes of the whole, as a 416 tells them (RFC 9110 15.5.17); undefined when it does not. */
export function unsatisfiedTotal(text: string | undefined): number | undefined {
  const [, total] = /^bytes \*\/(\d{1,15})$/.exec(text ?? '') ?? [];
  return total === undefined ? undefined : Number(total);
}
