import { z } from 'zod';
import { DeliverError } from '../../core/errors.ts';
import type { HostConnection } from '../../ssh/port.ts';
import { kubectl } from './host.ts';
import { clusterNodes } from './nodes.ts';

const PAUSE = 2_000;

export interface Gate {
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/** Waits until these nodes are Ready, and of that version where one is given. @throws DeliverError E_NOT_READY with each node’s reason */
export async function waitNodesReady(
  control: HostConnection,
  names: readonly string[],
  { timeout, signal, version }: Gate & { readonly version?: string },
): Promise<void> {
  await waitFor({ timeout, signal }, 'Not every node is ready.', async () => {
    const nodes = await clusterNodes(control, signal);
    return names.flatMap((name) => {
      const node = nodes.find((each) => each.name === name);
      if (node === undefined) return [`${name}: the cluster has no such node`];
      if (!node.ready) return [`${name}: ${node.message}`];
      return version === undefined || node.version === version
        ? []
        : [`${name}: its kubelet is ${node.version}, not ${version} yet`];
    });
  });
}

const Pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      status: z.object({
        phase: z.string(),
        conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
      }),
    }),
  ),
});

/** Waits until the pods of kube-system on these nodes are ready. @throws DeliverError E_NOT_READY */
export async function waitSystemPods(control: HostConnection, node: string, gate: Gate): Promise<void> {
  await waitFor(gate, `The system pods of ${node} are not ready.`, async () => {
    const args = `--request-timeout=20s -n kube-system get pods --field-selector spec.nodeName=${node} -o json`;
    const { items } = Pods.parse(JSON.parse(await kubectl(control, args, { signal: gate.signal })));
    return items.flatMap(({ metadata: { name }, status: { phase, conditions } }) => {
      const ready = phase === 'Succeeded' || conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
      // What was evicted or has ended in failure is an old story; its successor is in the list too.
      return ready || phase === 'Failed' ? [] : [`${name}: ${phase}`];
    });
  });
}

/** Asks again and again what is still open, until nothing is, or the time is over. */
export async function waitFor(
  { timeout, signal }: Gate,
  what: string,
  open: () => Promise<readonly string[]>,
  fix = 'Look at kubectl describe node, and journalctl -u kubelet there; then run the same command again.',
): Promise<void> {
  const end = Date.now() + timeout;
  for (;;) {
    let left: readonly string[];
    try {
      left = await open();
    } catch (error) {
      // The API server itself may be starting again.
      if (signal.aborted || Date.now() > end) throw error;
      left = ['the API does not answer'];
    }
    if (left.length === 0) return;
    if (Date.now() > end) throw notReady(what, left, timeout, fix);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    signal.throwIfAborted();
  }
}

function notReady(what: string, left: readonly string[], timeout: number, fix: string): DeliverError {
  return new DeliverError('E_NOT_READY', {
    what,
    why: `After ${String(Math.round(timeout / 1000))} s: ${left.slice(0, 3).join(' · ')}`,
    details: left,
    fix,
    state: 'What was done before stays; nothing further was begun.',
  });
}
