import { DeliverError } from '../core/errors.ts';
import { pause } from './pause.ts';
import type { ClusterApi, KubeRef } from './port.ts';
import { refText } from './refs.ts';

/** Waits until an object that was deleted is gone. @throws DeliverError E_NOT_READY after two minutes */
export async function gone(api: ClusterApi, ref: KubeRef, signal?: AbortSignal): Promise<void> {
  const deadline = performance.now() + 120_000;
  while ((await api.get(ref, signal)) !== undefined) {
    if (performance.now() > deadline) {
      throw new DeliverError('E_NOT_READY', {
        what: `${refText(ref)} was deleted to be made anew, and is still there after two minutes.`,
        fix: 'See what holds it (its finalizers, its pods), then run the same command again.',
        state: 'It is being deleted; what was applied before it stays.',
      });
    }
    await pause(500, signal);
  }
}
