import { z } from 'zod';
import { isDeliverError } from '../../core/errors.ts';
import type { Report } from '../../core/report.ts';
import type { HostConnection } from '../../ssh/port.ts';
import { waitFor, type Gate } from './gate.ts';
import { kubectl } from './host.ts';

const Workloads = z.object({
  items: z.array(
    z.object({
      kind: z.string(),
      metadata: z.object({ name: z.string(), namespace: z.string() }),
      spec: z.object({ replicas: z.int().default(1) }),
      status: z
        .object({
          readyReplicas: z.int().default(0),
          desiredNumberScheduled: z.int().optional(),
          numberReady: z.int().default(0),
        })
        .prefault({}),
    }),
  ),
});

/** A Deployment, StatefulSet or DaemonSet. */
interface Workload {
  /** `StatefulSet project/gatekeeper` */
  readonly name: string;
  readonly ready: number;
  readonly wanted: number;
}

const WHAT = 'Not everything that ran before the upgrade runs again.';
const FIX = 'Look at kubectl get pods -A and kubectl describe pod; then run the same command again.';
/** Milliseconds that what is not whole at the beginning gets: an interrupted upgrade may have left it so. */
const BEFORE = 2 * 60_000;

/**
 * Names of what is whole, after giving the rest some time. What stays broken is told, and is not waited for later.
 */
export async function wholeWorkloads(control: HostConnection, report: Report, signal: AbortSignal): Promise<ReadonlySet<string>> {
  try {
    await waitWorkloads(control, undefined, { timeout: BEFORE, signal });
  } catch (error) {
    if (!isDeliverError(error, 'E_NOT_READY')) throw error;
    for (const line of error.facts.details ?? []) report.note(`${line} already before the upgrade; it does not wait for that.`);
  }
  const found = await workloads(control, signal);
  return new Set(found.filter(({ ready, wanted }) => ready >= wanted).map(({ name }) => name));
}

/**
 * Waits until these have all their pods ready: the next node is not drained while the pods of the last one are still starting.
 * @param names all there are when undefined; what was deleted meanwhile is not waited for
 * @throws DeliverError E_NOT_READY
 */
export async function waitWorkloads(control: HostConnection, names: ReadonlySet<string> | undefined, gate: Gate): Promise<void> {
  const open = async (): Promise<string[]> => {
    const found = await workloads(control, gate.signal);
    return found
      .filter(({ name, ready, wanted }) => ready < wanted && (names?.has(name) ?? true))
      .map(({ name, ready, wanted }) => `${name}: ${String(ready)} of ${String(wanted)} ready`);
  };
  await waitFor(gate, WHAT, open, FIX);
}

async function workloads(control: HostConnection, signal: AbortSignal): Promise<Workload[]> {
  const args = '--request-timeout=20s get deployments.apps,statefulsets.apps,daemonsets.apps -A -o json';
  const { items } = Workloads.parse(JSON.parse(await kubectl(control, args, { signal })));
  return items.map(({ kind, metadata: { name, namespace }, spec, status }) => ({
    name: `${kind} ${namespace}/${name}`,
    ready: kind === 'DaemonSet' ? status.numberReady : status.readyReplicas,
    wanted: kind === 'DaemonSet' ? (status.desiredNumberScheduled ?? 0) : spec.replicas,
  }));
}
