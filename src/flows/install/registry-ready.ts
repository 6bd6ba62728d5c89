import { setTimeout as sleep } from 'node:timers/promises';
import { DeliverError, isDeliverError } from '../../core/errors.ts';
import type { SitePorts } from '../site-ports.ts';

/** Harbor makes its database at its first start. */
const READY_WITHIN = 300_000;
/** A fresh Harbor knows its first account only after a while; then a refusal is one. */
const LOGIN_WITHIN = 60_000;
const AGAIN_AFTER = 2_000;

/** Waits until the site’s registry answers a login and says that it is well. @throws DeliverError E_REGISTRY*, E_HARBOR, E_INTERRUPTED */
export async function awaitRegistry(ports: Pick<SitePorts, 'registry'>, signal: AbortSignal): Promise<void> {
  const began = performance.now();
  for (;;) {
    const problem = await problemOf(ports, signal);
    if (problem === undefined) return;
    const waited = performance.now() - began;
    if (waited > (isDeliverError(problem, 'E_REGISTRY_AUTH') ? LOGIN_WITHIN : READY_WITHIN)) {
      throw problem.with({ state: `It was installed, and did not get ready within ${String(Math.round(waited / 1000))} s.` });
    }
    await sleep(AGAIN_AFTER, undefined, { signal }).catch((cause: unknown) => {
      throw new DeliverError('E_INTERRUPTED', { what: 'Interrupted while waiting for the registry.', cause });
    });
  }
}

async function problemOf(ports: Pick<SitePorts, 'registry'>, signal: AbortSignal): Promise<DeliverError | undefined> {
  try {
    const { harbor, writer } = await ports.registry();
    const down = (await harbor?.unhealthy()) ?? [];
    if (down.length > 0) {
      return new DeliverError('E_HARBOR', {
        what: `Harbor is not healthy: ${down.join(', ')}.`,
        fix: 'Look at its containers: docker compose ps, in /var/lib/deliver/harbor/current/harbor.',
      });
    }
    if (harbor === undefined) await writer.headManifest('deliver/ready', 'none', signal);
    return undefined;
  } catch (error) {
    if (!isDeliverError(error, 'E_REGISTRY', 'E_REGISTRY_AUTH', 'E_HARBOR', 'E_SSH')) throw error;
    return error;
  }
}
