import { EMPTY_BLOB } from '../core/oci.ts';
import type { Lock } from '../lock/lock-schema.ts';
import { releaseManifest, type MadeBlob } from './artifact.ts';
import { contentsList } from './contents-list.ts';
import { contentsOf, type ContentBlob } from './contents.ts';

/** What a lock alone decides: its content in file order, the list of it, and the release manifest that pins lock and list. */
export interface ReleaseRoot {
  readonly content: readonly ContentBlob[];
  readonly list: MadeBlob;
  readonly release: MadeBlob;
}

/** The same for a delta as for the whole bundle. @throws DeliverError E_BUNDLE when the lock contradicts itself */
export function releaseRoot(lock: Lock, lockBytes: MadeBlob): ReleaseRoot {
  const content = contentsOf(lock).filter(({ digest }) => digest !== EMPTY_BLOB.digest);
  const list = contentsList(lock, content);
  return { content, list, release: releaseManifest(lock, lockBytes.descriptor, list.descriptor) };
}
