import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { options, type S3Calls } from './s3-calls.ts';
import { receiveLarge } from './s3-large.ts';

interface Wanted {
  readonly key: string;
  /** Refused when it has another one. */
  readonly etag: string | undefined;
  /** First byte, and last byte if it is not to the end. */
  readonly range: { readonly from: number; readonly last?: number } | undefined;
  /** Worth a connection of its own. */
  readonly isLarge: boolean;
}

/** What a store answered to a GET of an object. */
interface GotObject {
  readonly head: GetObjectCommandOutput;
  /** Its errors are not told in our words yet. A chunk is good until the next one is asked for. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** One GET of an object, or of a range of it. @throws DeliverError E_STORE* */
export async function getObject(
  calls: S3Calls,
  { key, etag, range, isLarge }: Wanted,
  signal: AbortSignal | undefined,
): Promise<GotObject> {
  return calls.call(key, signal, async ({ client, s3, receiver }) => {
    const part = range === undefined ? {} : { Range: `bytes=${String(range.from)}-${String(range.last ?? '')}` };
    const input = { Bucket: calls.bucket, Key: key, ...part, ...(etag === undefined ? {} : { IfMatch: etag }) };
    const command = new s3.GetObjectCommand(input);
    const received = isLarge ? receiveLarge(command, receiver, signal) : () => undefined;
    const head = await client.send(command, options(signal));
    return { head, body: received() ?? (head.Body as AsyncIterable<Uint8Array> | undefined) ?? nothing() };
  });
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // An object without content.
}
