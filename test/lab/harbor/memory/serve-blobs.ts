import { pipeline } from 'node:stream/promises';
import { answer, refuse } from './call.ts';
import type { Call } from './call.ts';

interface Span {
  start: number;
  end: number;
}

/** One `bytes=a-b`, `bytes=a-` or `bytes=-n`; null when it lies outside, undefined when there is none. */
function spanOf(header: string | undefined, size: number): Span | null | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (match === null) return undefined;
  const [, from = '', to = ''] = match;
  if (from === '') return { start: Math.max(0, size - Number(to)), end: size - 1 };
  const span = { start: Number(from), end: to === '' ? size - 1 : Math.min(Number(to), size - 1) };
  return span.start >= size || span.start > span.end ? null : span;
}

export async function serveBlob(call: Call, repository: string, digest: string): Promise<void> {
  const held = call.content.repositories.get(repository)?.blobs;
  const blob = held?.get(digest);
  if (blob === undefined) {
    refuse(call, 404, 'BLOB_UNKNOWN', 'blob unknown to registry', { detail: digest });
    return;
  }
  if (call.method === 'DELETE') {
    held?.delete(digest);
    answer(call, 202);
    return;
  }
  const headers = {
    'Content-Type': 'application/octet-stream',
    'Docker-Content-Digest': digest,
    Etag: `"${digest}"`,
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'max-age=31536000',
  };
  const span = spanOf(call.req.headers.range, blob.size);
  if (span === null) {
    answer(call, 416, { 'Content-Range': `bytes */${String(blob.size)}` });
    return;
  }
  const { start, end } = span ?? { start: 0, end: blob.size - 1 };
  const partial = span === undefined ? {} : { 'Content-Range': `bytes ${String(start)}-${String(end)}/${String(blob.size)}` };
  call.res.writeHead(span === undefined ? 200 : 206, { ...headers, ...partial, 'Content-Length': end - start + 1 });
  if (call.method === 'HEAD') call.res.end();
  else await pipeline(blob.read(start, end), call.res);
}
