import { digestOf, hexOf } from '../core/digest.ts';
import type { ObjectStore } from '../store/port.ts';
import { SHA256_KEY } from './object-digest.ts';

/** Puts an object of a few pages, unless the very same is there. */
export async function putSmall(store: ObjectStore, key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  const sha256 = hexOf(digestOf(bytes));
  const found = await store.head(key, signal);
  if (found?.size === bytes.byteLength && found.metadata[SHA256_KEY] === sha256) return;
  await store.put(key, bytes, { [SHA256_KEY]: sha256 }, signal);
}
