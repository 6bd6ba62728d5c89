import { createHash } from 'node:crypto';
import { open as openFile, stat } from 'node:fs/promises';
import type { Digest } from '../core/digest.ts';
import { DeliverError, messageOf, systemCode } from '../core/errors.ts';
import { HttpSource, type HttpSourceOptions } from './http-source.ts';
import { locationKind } from './location.ts';
import type { FileSource } from './port.ts';
import { S3Source } from './s3-source.ts';

const READ_SIZE = 256 * 1024;

/** Files from absolute paths, http(s) URLs and S3. */
export function createFileSource(options: HttpSourceOptions = {}): FileSource {
  const http = new HttpSource(options);
  const s3 = new S3Source(process.env, options);
  const open = async (location: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>> => {
    const kind = locationKind(location);
    if (kind === 'http') return http.open(location, signal);
    return kind === 's3' ? s3.open(location, signal) : openPath(location, signal);
  };
  return {
    open,
    measure: async (location, signal) => measured(await open(location, signal)),
  };
}

async function measured(bytes: AsyncIterable<Uint8Array>): Promise<{ digest: Digest; size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.byteLength;
    hash.update(chunk);
  }
  return { digest: `sha256:${hash.digest('hex')}` as Digest, size };
}

async function openPath(path: string, signal: AbortSignal | undefined): Promise<AsyncIterable<Uint8Array>> {
  signal?.throwIfAborted();
  const found = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (!found.isFile()) throw new DeliverError('E_FILE_UNREADABLE', { what: `${path} is not a file.` });
  return readPath(path, signal);
}

/** Into one buffer that is used again: new memory for every chunk piles up faster than it is collected. */
async function* readPath(path: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(READ_SIZE);
  try {
    const handle = await openFile(path, 'r');
    try {
      for (;;) {
        signal?.throwIfAborted();
        const { bytesRead } = await handle.read(buffer, 0, buffer.byteLength, null);
        if (bytesRead === 0) return;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await handle.close();
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw unreadable(path, error);
  }
}

function unreadable(path: string, cause: unknown): DeliverError {
  if (systemCode(cause) === 'ENOENT') {
    return new DeliverError('E_FILE_NOT_FOUND', {
      what: `The file is not there: ${path}`,
      fix: 'Check the path; it is relative to the release file.',
      cause,
    });
  }
  return new DeliverError('E_FILE_UNREADABLE', { what: `The file can’t be read: ${path}`, why: messageOf(cause), cause });
}
