/** A part of a blob: `length` bytes from `start`. */
export interface ByteRange {
  readonly start: number;
  readonly length: number;
}

/**
 * What a Range header asks of `size` bytes (RFC 9110, 14.1.2 and 14.2).
 * @returns `whole` also for what may be ignored: another unit, bad syntax, several ranges (many tiny ones are an old way to
 * tire a server)
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'whole' | 'unsatisfiable' {
  const groups = /^bytes=[ \t]*(?<first>\d*)-(?<last>\d*)[ \t]*$/i.exec(header ?? '')?.groups;
  if (groups === undefined) return 'whole';
  const { first = '', last = '' } = groups;
  if (first === '') return last === '' ? 'whole' : suffix(Number(last), size);
  const start = Number(first);
  const end = last === '' ? Infinity : Number(last);
  // RFC 9110, 14.2 lets a server ignore or refuse `5-2`; the distribution-spec's own tests want it refused.
  return start >= size || end < start ? 'unsatisfiable' : { start, length: Math.min(end, size - 1) - start + 1 };
}

function suffix(wanted: number, size: number): ByteRange | 'whole' | 'unsatisfiable' {
  if (wanted === 0) return 'unsatisfiable';
  // Nothing can be written as Content-Range for no bytes.
  if (size === 0) return 'whole';
  const length = Math.min(wanted, size);
  return { start: size - length, length };
}
