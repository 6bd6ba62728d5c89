import { createHash } from 'node:crypto';
import type { ObjectRange, ObjectStore, StoredHead, StoredObject } from './port.ts';
import type { S3Address } from './s3-address.ts';
import { options, s3Calls, type S3Calls } from './s3-calls.ts';
import { isMissing, storeError } from './s3-error.ts';
import { getObject } from './s3-get.ts';
import { s3Uploads } from './s3-uploads.ts';

/** Most keys that one request may remove (S3 API, DeleteObjects). */
const REMOVE_AT_ONCE = 1000;
/** Bytes from which on a connection of its own pays. */
const LARGE = 1024 * 1024;

/** One bucket of any store that speaks S3. Nothing is connected before the first call. */
export function createS3Store(address: S3Address, env: Readonly<Record<string, string | undefined>>): ObjectStore {
  const calls = s3Calls(address, env);
  const { bucket } = calls;
  return {
    nameOf: (key) => calls.nameOf(key),
    head: (key, signal) => head(calls, key, signal),
    read: (key, what, signal) => read(calls, key, what, signal),
    async put(key, bytes, metadata, signal) {
      const sha256 = createHash('sha256').update(bytes).digest('base64');
      const body = { Body: bytes, ContentLength: bytes.byteLength, ChecksumSHA256: sha256 };
      const input = { Bucket: bucket, Key: key, ...body, ...(metadata === undefined ? {} : { Metadata: { ...metadata } }) };
      await calls.call(key, signal, ({ client, s3 }) => client.send(new s3.PutObjectCommand(input), options(signal)));
    },
    list: (prefix, signal) => list(calls, prefix, signal),
    async remove(keys, signal) {
      for (let at = 0; at < keys.length; at += REMOVE_AT_ONCE) await remove(calls, keys.slice(at, at + REMOVE_AT_ONCE), signal);
    },
    uploads: s3Uploads(calls),
  };
}

async function head(calls: S3Calls, key: string, signal: AbortSignal | undefined): Promise<StoredHead | undefined> {
  return calls.call(key, signal, async ({ client, s3 }) => {
    try {
      const input = { Bucket: calls.bucket, Key: key, ChecksumMode: 'ENABLED' as const };
      const found = await client.send(new s3.HeadObjectCommand(input), options(signal));
      return {
        key,
        size: found.ContentLength ?? 0,
        etag: found.ETag ?? '',
        modified: found.LastModified ?? new Date(0),
        metadata: found.Metadata ?? {},
        ...(found.ChecksumSHA256 === undefined ? {} : { sha256: found.ChecksumSHA256 }),
      };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  });
}

async function read(
  calls: S3Calls,
  key: string,
  { etag, offset, size }: ObjectRange,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<Uint8Array>> {
  const range = offset === undefined || size === undefined ? undefined : { from: offset, last: offset + size - 1 };
  const isLarge = size === undefined || size >= LARGE;
  const { body } = await getObject(calls, { key, etag, range, isLarge }, signal);
  return readable(calls, key, body, signal);
}

async function* readable(
  calls: S3Calls,
  key: string,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw storeError(calls.nameOf(key), error, signal);
  }
}

async function* list(calls: S3Calls, prefix: string, signal: AbortSignal | undefined): AsyncGenerator<StoredObject> {
  for (let token: string | undefined, more = true; more;) {
    const page = await calls.call(prefix, signal, ({ client, s3 }) => {
      const input = { Bucket: calls.bucket, Prefix: prefix, ...(token === undefined ? {} : { ContinuationToken: token }) };
      return client.send(new s3.ListObjectsV2Command(input), options(signal));
    });
    for (const { Key: key, Size: size, ETag: etag, LastModified: modified } of page.Contents ?? []) {
      if (key !== undefined) yield { key, size: size ?? 0, etag: etag ?? '', modified: modified ?? new Date() };
    }
    token = page.NextContinuationToken;
    more = token !== undefined;
  }
}

async function remove(calls: S3Calls, keys: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  await calls.call(keys[0] ?? '', signal, async ({ client, s3 }) => {
    const Delete = { Objects: keys.map((Key) => ({ Key })), Quiet: true };
    const answer = await client.send(new s3.DeleteObjectsCommand({ Bucket: calls.bucket, Delete }), options(signal));
    const [failed] = answer.Errors ?? [];
    if (failed !== undefined) throw new Error(`${failed.Key ?? ''}: ${failed.Code ?? ''} ${failed.Message ?? ''}`);
  });
}
