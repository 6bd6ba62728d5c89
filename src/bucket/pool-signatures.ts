import { z } from 'zod';
import type { SignatureBlob } from '../bundle/signature/signature-room.ts';
import { canonicalJson } from '../core/canonical-json.ts';
import { DeliverError, messageOf } from '../core/errors.ts';
import type { ObjectStore } from '../store/port.ts';
import { readObject } from './pool.ts';

const Signatures = z.strictObject({ signatures: z.array(z.string()) });

/** The signatures that a pool keeps beside a lock, in the order in which a bundle holds them. @throws DeliverError E_BUNDLE */
export async function readSignatures(store: ObjectStore, key: string, signal?: AbortSignal): Promise<readonly SignatureBlob[]> {
  const bytes = await readObject(store, key, signal);
  if (bytes === undefined) return [];
  try {
    return Signatures.parse(JSON.parse(bytes.toString('utf8'))).signatures.map((armored) => ({ armored }));
  } catch (error) {
    throw new DeliverError('E_BUNDLE', {
      what: `${store.nameOf(key)} holds no signatures.`,
      why: messageOf(error),
      cause: error,
    });
  }
}

/** Adds those that are not there yet; what others signed stays. */
export async function addSignatures(
  store: ObjectStore,
  key: string,
  signatures: readonly SignatureBlob[],
  signal?: AbortSignal,
): Promise<void> {
  const before = (await readSignatures(store, key, signal)).map(({ armored }) => armored);
  const added = signatures.map(({ armored }) => armored).filter((armored) => !before.includes(armored));
  if (added.length === 0) return;
  await store.put(key, Buffer.from(canonicalJson({ signatures: [...before, ...added] })), undefined, signal);
}
