import { verified, type Digest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import type { RegistryReader } from '../registry/port.ts';

const MAX_BYTES = 8 * 1024 * 1024;

/**
 * A config or other small blob as JSON, verified.
 * @throws DeliverError E_DIGEST, E_SIZE, E_IMAGE_FORMAT when it is larger than 8 MiB or no JSON
 */
export async function readSmallJson(
  reader: RegistryReader,
  repository: string,
  blob: { readonly digest: Digest; readonly size: number },
  name: string,
  signal?: AbortSignal,
): Promise<unknown> {
  if (blob.size > MAX_BYTES) throw unreadable(name, `it says that it has ${blob.size} bytes`);
  const bytes = await gather(verified(await reader.blob(repository, blob.digest, signal), blob, name));
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch (cause) {
    throw unreadable(name, 'it is not JSON', cause);
  }
}

/** All the bytes of a stream, whose chunks may lie in memory that is used again. */
export async function gather(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return (await gatherUpTo(bytes, Infinity)) ?? Buffer.alloc(0);
}

/** The same, undefined when there are more than `most`. */
export async function gatherUpTo(bytes: AsyncIterable<Uint8Array>, most: number): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.byteLength;
    if (size > most) return undefined;
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}

function unreadable(name: string, why: string, cause?: unknown): DeliverError {
  return new DeliverError('E_IMAGE_FORMAT', { what: `${name} can’t be read.`, why, ...(cause === undefined ? {} : { cause }) });
}
