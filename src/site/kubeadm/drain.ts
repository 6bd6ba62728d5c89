import { countText } from '../../core/amounts.ts';
import { DeliverError } from '../../core/errors.ts';
import type { Report } from '../../core/report.ts';
import type { HostConnection } from '../../ssh/port.ts';
import { holdersOf, podsToMove } from './held.ts';
import { failedOn, isNotAsked, kubectl, kubectlLine, tryOnHost } from './host.ts';
import type { ClusterNode } from './nodes.ts';

/** On a node that deliver itself took out of service; one that somebody else cordoned stays so. */
export const CORDONED = 'deliver/cordoned';
/** What they get everywhere. */
export const DRAIN_SECONDS = 300;
/** Seconds after which is looked what still holds the pods. */
const ROUND = 10;
/** Milliseconds. */
const BETWEEN = 1_000;

export interface DrainOptions {
  /** Seconds that the pods may take to leave, pod disruption budgets included. */
  readonly seconds: number;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/**
 * Takes a node out of service, and its pods off it through the Eviction API (kubectl drain): within their pod disruption
 * budgets, those of DaemonSets left, emptyDir volumes given up, pods that nothing would make again refused.
 * @throws DeliverError E_PREFLIGHT for such a pod, E_NOT_READY when pods do not leave in time; the node serves again then
 */
export async function drainNode(control: HostConnection, node: ClusterNode, options: DrainOptions): Promise<void> {
  const { signal } = options;
  await refuseLonePods(control, [node.name], signal);
  // The note first: a run that is killed after it knows that the cordon is deliver's.
  if (!node.cordoned) await kubectl(control, `annotate --overwrite node ${node.name} ${CORDONED}=upgrade`, { signal });
  try {
    await evictAll(control, node, options);
  } catch (error) {
    // Interrupted: the next run goes on with it, or lets the node serve again.
    if (!signal.aborted) await releaseNode(control, node.name, signal);
    throw error;
  }
}

async function evictAll(control: HostConnection, node: ClusterNode, { seconds, report, signal }: DrainOptions): Promise<void> {
  const end = Date.now() + seconds * 1000;
  let most = 0;
  for (;;) {
    const left = Math.max(1, Math.min(ROUND, Math.ceil((end - Date.now()) / 1000)));
    const line = kubectlLine(
      `drain ${node.name} --ignore-daemonsets --delete-emptydir-data --skip-wait-for-delete-timeout=60 --timeout=${String(left)}s`,
    );
    const work = { what: `kubectl drain ${node.name}`, timeout: (left + 60) * 1000, signal };
    const ran = await tryOnHost(control, line, work);
    if (ran.code === 0) return;
    const pods = await podsToMove(control, node.name, signal);
    const lone = pods.filter((pod) => pod.lone && !pod.ending);
    if (lone.length > 0) throw lonePods(lone);
    const never = ran.stderr.includes('more than one PodDisruptionBudget');
    const retried =
      never ||
      isNotAsked(ran.stderr) ||
      /timed out|timeout|deadline exceeded|did not complete|will retry|declare no controller/i.test(ran.stderr);
    if (!retried) throw failedOn(control, `Draining ${node.name}`, ran);
    const holders = await holdersOf(control, pods, signal);
    if (never || Date.now() >= end) throw notDrained(control, node, seconds, holders);
    most = Math.max(most, pods.length);
    report.progress({
      done: most - pods.length,
      total: most,
      unit: 'items',
      detail: `${node.name}: ${holders[0] ?? 'draining'}`,
    });
    await new Promise((resolve) => setTimeout(resolve, BETWEEN));
    signal.throwIfAborted();
  }
}

/** Puts a node back into service, when it was deliver that took it out. */
export async function releaseNode(control: HostConnection, name: string, signal?: AbortSignal): Promise<void> {
  const work = signal === undefined ? {} : { signal };
  const ours = await kubectl(control, `get node ${name} -o jsonpath='{.metadata.annotations.deliver/cordoned}'`, work);
  if (ours.trim() === '') return;
  await kubectl(control, `uncordon ${name}`, work);
  await kubectl(control, `annotate node ${name} ${CORDONED}-`, work);
}

/** Refuses, before anything is changed, what kubectl drain refuses too: a pod that nothing would make again. @throws DeliverError E_PREFLIGHT */
export async function refuseLonePods(control: HostConnection, nodes: readonly string[], signal: AbortSignal): Promise<void> {
  if (nodes.length === 0) return;
  const pods = await podsToMove(control, nodes.length === 1 ? nodes[0] : undefined, signal);
  const lone = pods.filter((pod) => pod.lone && !pod.ending && nodes.includes(pod.node));
  if (lone.length > 0) throw lonePods(lone);
}

function lonePods(pods: readonly { readonly name: string; readonly node: string; readonly namespace: string }[]): DeliverError {
  const [first] = pods;
  const nodes = [...new Set(pods.map(({ node }) => node))].join(', ');
  return new DeliverError('E_PREFLIGHT', {
    what: `${nodes} can’t be drained: ${countText(pods.length, 'pod')} there would be lost for good.`,
    why: `No controller makes ${pods.length === 1 ? 'it' : 'them'} again: ${pods
      .slice(0, 3)
      .map(({ name }) => name)
      .join(', ')}.`,
    details: pods.map(({ name, node }) => `${name} on ${node}`),
    fix: `Delete what is not needed (kubectl delete pod -n ${first?.namespace ?? ''} ${first?.name.split('/')[1] ?? ''}), make a Deployment of the rest; then run the same command again.`,
    state: 'These nodes serve as they did before.',
  });
}

function notDrained(control: HostConnection, node: ClusterNode, seconds: number, holders: readonly string[]): DeliverError {
  const serves =
    node.cordoned && !(CORDONED in node.annotations) ? 'is cordoned, as it was before' : 'serves again, as it did before';
  return new DeliverError('E_NOT_READY', {
    what: `The pods of ${node.name} did not leave within ${String(seconds)} s.`,
    why: holders.length === 0 ? 'The last of them was about to leave.' : holders.slice(0, 3).join(' '),
    details: holders,
    fix: holders.some((line) => line.includes('PodDisruptionBudget'))
      ? `Give the app another replica, or let its budget allow one (on ${control.host.name}: kubectl get pdb -A); then run the same command again.`
      : `Look at these pods (on ${control.host.name}: kubectl describe pod); then run the same command again.`,
    state: `${node.name} ${serves}; what was done before stays.`,
  });
}
