/** What tells one state of a file from any other (RFC 9110 8.8.1). */
export interface Validator {
  /** Of the header. */
  readonly name: 'etag' | 'last-modified';
  /** For messages. */
  readonly title: string;
  readonly text: string;
}

/** Within it a file may change twice with one date, also where two clocks differ a little. */
const DATE_IS_SURE = 60_000;

/** A strong ETag, or a Last-Modified that lies long enough back to be as good (RFC 9110 8.8.2.2); undefined when there is neither. */
export function validatorOf(answer: { readonly header: (name: string) => string | undefined }): Validator | undefined {
  const etag = answer.header('etag');
  if (etag !== undefined && /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(etag)) return { name: 'etag', title: 'ETag', text: etag };
  const text = answer.header('last-modified');
  const age = Date.parse(answer.header('date') ?? '') - Date.parse(text ?? '');
  return text === undefined || !(age >= DATE_IS_SURE) ? undefined : { name: 'last-modified', title: 'Last-Modified', text };
}
