import { isDeliverError } from '../core/errors.ts';
import type { PartialUploads, SentPart } from './port.ts';
import { options, type S3Calls } from './s3-calls.ts';

/** Multipart uploads of one bucket. */
export function s3Uploads(calls: S3Calls): PartialUploads {
  const { bucket } = calls;
  return {
    async find(key, signal) {
      const id = await newest(calls, key, signal);
      return id === undefined ? undefined : { id, parts: await partsOf(calls, { key, id }, signal) };
    },
    parts: (upload, signal) =>
      partsOf(calls, upload, signal).catch((error: unknown) => {
        if (isDeliverError(error, 'E_STORE_NOT_FOUND')) return undefined;
        throw error;
      }),
    begin: (key, metadata, signal) =>
      calls.call(key, signal, async ({ client, s3 }) => {
        const input = { Bucket: bucket, Key: key, Metadata: { ...metadata }, ChecksumAlgorithm: 'SHA256' as const };
        const begun = await client.send(new s3.CreateMultipartUploadCommand(input), options(signal));
        if (begun.UploadId === undefined) throw new Error('the store began an upload without a name');
        return { id: begun.UploadId, keepsSha256: begun.ChecksumAlgorithm === 'SHA256' };
      }),
    send: ({ key, id }, { number, bytes, sha256 }, signal) =>
      calls.call(key, signal, async ({ client, s3 }) => {
        const upload = { Bucket: bucket, Key: key, UploadId: id, PartNumber: number };
        const input = { ...upload, Body: bytes, ContentLength: bytes.byteLength, ChecksumSHA256: sha256 };
        const sent = await client.send(new s3.UploadPartCommand(input), options(signal));
        return { number, size: bytes.byteLength, etag: sent.ETag ?? '', ...checksum(sent.ChecksumSHA256) };
      }),
    complete: ({ key, id }, parts, signal) =>
      calls.call(key, signal, async ({ client, s3 }) => {
        const Parts = parts.map(({ number, etag, sha256 }) => ({
          PartNumber: number,
          ETag: etag,
          ...(sha256 === undefined ? {} : { ChecksumSHA256: sha256 }),
        }));
        const input = { Bucket: bucket, Key: key, UploadId: id, MultipartUpload: { Parts } };
        await client.send(new s3.CompleteMultipartUploadCommand(input), options(signal));
      }),
    abort: ({ key, id }, signal) =>
      calls.call(key, signal, async ({ client, s3 }) => {
        await client.send(new s3.AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: id }), options(signal));
      }),
  };
}

async function newest(calls: S3Calls, key: string, signal: AbortSignal | undefined): Promise<string | undefined> {
  let found: { readonly id: string; readonly at: number } | undefined;
  let next: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
  while (next !== undefined) {
    const markers: { KeyMarker?: string; UploadIdMarker?: string } = next;
    const page = await calls.call(key, signal, ({ client, s3 }) =>
      client.send(new s3.ListMultipartUploadsCommand({ Bucket: calls.bucket, Prefix: key, ...markers }), options(signal)),
    );
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      const at = Initiated?.getTime() ?? 0;
      if (Key === key && UploadId !== undefined && (found === undefined || at >= found.at)) found = { id: UploadId, at };
    }
    const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = page;
    next =
      IsTruncated === true && NextKeyMarker !== undefined && NextUploadIdMarker !== undefined
        ? { KeyMarker: NextKeyMarker, UploadIdMarker: NextUploadIdMarker }
        : undefined;
  }
  return found?.id;
}

async function partsOf(
  calls: S3Calls,
  { key, id }: { readonly key: string; readonly id: string },
  signal: AbortSignal | undefined,
): Promise<readonly SentPart[]> {
  const parts: SentPart[] = [];
  for (let marker: string | undefined, more = true; more;) {
    const page = await calls.call(key, signal, ({ client, s3 }) => {
      const input = {
        Bucket: calls.bucket,
        Key: key,
        UploadId: id,
        ...(marker === undefined ? {} : { PartNumberMarker: marker }),
      };
      return client.send(new s3.ListPartsCommand(input), options(signal));
    });
    for (const { PartNumber: number, Size: size, ETag: etag, ChecksumSHA256 } of page.Parts ?? []) {
      if (number !== undefined) parts.push({ number, size: size ?? 0, etag: etag ?? '', ...checksum(ChecksumSHA256) });
    }
    marker = page.NextPartNumberMarker;
    more = page.IsTruncated === true && marker !== undefined;
  }
  return parts;
}

function checksum(sha256: string | undefined): { sha256?: string } {
  return sha256 === undefined || sha256 === '' ? {} : { sha256 };
}
