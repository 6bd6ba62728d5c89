import { z } from 'zod';
import { canonicalJson } from '../core/canonical-json.ts';
import { digestOf, isDigest, type Digest } from '../core/digest.ts';
import { FileWord, ReleaseName } from '../manifest/fields.ts';

/** Bytes; about 100,000 digests. */
export const MOST_RECEIPT = 8 * 1024 * 1024;

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'is not a sha256 digest');
const words = z.string().max(1000);
const Named = z.strictObject({ name: ReleaseName, version: FileWord, root: digest });

const BodySchema = z.strictObject({
  apiVersion: z.literal('deliver/v1'),
  /** In the full form: how many blobs the release has, and the digest of the canonical JSON of their sorted digests. */
  arrived: z.strictObject({ count: z.int().positive(), digest }).exactOptional(),
  installed: z
    .array(
      z.strictObject({
        ...Named.shape,
        installedAt: words,
        /** What was accepted with --allow-unsigned. */
        accepted: words.exactOptional(),
        /** Signers of the bundle that the site trusted. */
        verifiedBy: z.array(words),
      }),
    )
    .min(1),
  kind: z.literal('Receipt'),
  /** 1 for a site's first receipt, then one more each. */
  number: z.int().positive(),
  /** Id of the receipt before; absent in the first. */
  previous: digest.exactOptional(),
  /** What the next delta builds on. */
  release: Named,
  site: FileWord,
  time: z.iso.datetime(),
});

const ReceiptSchema = BodySchema.extend({
  signature: z.string().max(4000),
  /** The full form only; not in the id nor under the signature, which cover `arrived`. */
  digests: z.array(digest).exactOptional(),
});

/** What a site says, before it is signed. */
export type ReceiptBody = z.infer<typeof BodySchema>;
/** A signed receipt, in its short or its full form: both have the same id. */
export type Receipt = z.infer<typeof ReceiptSchema>;

/** What the signature covers. */
export function signedBytes({ signature: _, digests: __, ...body }: Receipt): Uint8Array {
  return bodyBytes(body);
}

export function bodyBytes(body: ReceiptBody): Uint8Array {
  return Buffer.from(canonicalJson(body));
}

/** The bytes of the file. */
export function receiptText(receipt: Receipt): string {
  return canonicalJson(receipt);
}

/** Without the list of digests. */
export function shortForm({ digests: _, ...receipt }: Receipt): Receipt {
  return receipt;
}

/** What the next receipt calls this one: the digest of its short form. */
export function receiptId(receipt: Receipt): Digest {
  return digestOf(receiptText(shortForm(receipt)));
}

/** What a receipt says of these digests. */
export function arrivedOf(digests: readonly Digest[]): NonNullable<ReceiptBody['arrived']> {
  return { count: digests.length, digest: digestOf(canonicalJson(digests)) };
}

/** A receipt from text of unknown origin, or what is wrong with it. Its signature is another matter. */
export function parseReceipt(text: string): Receipt | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  const parsed = ReceiptSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
  }
  if (receiptText(parsed.data) !== text.trim()) return 'it is not canonical JSON';
  return contradiction(parsed.data) ?? parsed.data;
}

/** What no schema can say. */
function contradiction({ number, previous, release, installed, digests, arrived }: Receipt): string | undefined {
  if ((number === 1) !== (previous === undefined)) return `number ${String(number)} and previous contradict each other`;
  if (!installed.some(({ name, root }) => name === release.name && root === release.root))
    return 'its release is not among those that are installed';
  if (digests === undefined) return undefined;
  if (digests.some((one, at) => at > 0 && one <= (digests[at - 1] ?? ''))) return 'its digests are not sorted';
  const found = digests.length === 0 ? undefined : arrivedOf(digests);
  return found?.digest === arrived?.digest && found?.count === arrived?.count
    ? undefined
    : 'its digests are not those that were signed';
}
