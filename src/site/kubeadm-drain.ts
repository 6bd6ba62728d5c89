import { DeliverError } from '../core/errors.ts';
import type { HostConnection } from '../ssh/port.ts';
import { failedOn, kubectl, kubectlLine, tryOnHost } from './kubeadm-host.ts';
import type { ClusterNode } from './kubeadm-nodes.ts';

/** On a node that deliver itself took out of service; one that somebody else cordoned stays so. */
export const CORDONED = 'deliver/cordoned';

export interface DrainOptions {
  /** Seconds that the pods may take to leave, pod disruption budgets included. */
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/**
 * Takes a node out of service, and its pods off it, within their pod disruption budgets.
 * @throws DeliverError E_NOT_READY when they do not leave in time; the node serves again then
 */
export async function drainNode(control: HostConnection, node: ClusterNode, { seconds, signal }: DrainOptions): Promise<void> {
  // The note first: a run that is killed after it knows that the cordon is deliver's.
  if (!node.cordoned) await kubectl(control, `annotate --overwrite node ${node.name} ${CORDONED}=upgrade`, { signal });
  const line = kubectlLine(
    `drain ${node.name} --ignore-daemonsets --delete-emptydir-data --force --skip-wait-for-delete-timeout=60 --timeout=${String(seconds)}s`,
  );
  const ran = await tryOnHost(control, line, { what: `kubectl drain ${node.name}`, timeout: (seconds + 60) * 1000, signal });
  if (ran.code === 0) return;
  await releaseNode(control, node.name, signal);
  throw drainError(control, node.name, seconds, ran.stderr) ?? failedOn(control, `Draining ${node.name}`, ran);
}

/** Puts a node back into service, when it was deliver that took it out. */
export async function releaseNode(control: HostConnection, name: string, signal?: AbortSignal): Promise<void> {
  const work = signal === undefined ? {} : { signal };
  const ours = await kubectl(control, `get node ${name} -o jsonpath='{.metadata.annotations.deliver/cordoned}'`, work);
  if (ours.trim() === '') return;
  await kubectl(control, `uncordon ${name}`, work);
  await kubectl(control, `annotate node ${name} ${CORDONED}-`, work);
}

function drainError(control: HostConnection, node: string, seconds: number, stderr: string): DeliverError | undefined {
  const held = new Set<string>();
  for (const [, pod] of stderr.matchAll(
    /error when evicting pods?\/?"([^"]+)"(?: -n "[^"]+")? \(will retry.*?Cannot evict pod as it would violate/g,
  )) {
    if (pod !== undefined) held.add(pod);
  }
  for (const [, pod, namespace] of stderr.matchAll(/pods?\/"?([^" ]+)"? -n "?([^" ]+)"?.*?disruption budget/g)) {
    if (pod !== undefined && namespace !== undefined) held.add(`${namespace}/${pod}`);
  }
  if (held.size === 0 && !/timed out|global timeout|deadline/i.test(stderr)) return undefined;
  const pods = [...held].join(', ');
  return new DeliverError('E_NOT_READY', {
    what: `The pods of ${node} did not leave within ${String(seconds)} s.`,
    why: held.size === 0 ? (stderr.trim().split('\n').at(-1) ?? '') : `A PodDisruptionBudget holds ${pods}.`,
    fix: `Look at kubectl get pdb -A (on ${control.host.name}); give the app another replica, or raise maxUnavailable, then run the same command again.`,
    state: `${node} serves again, as it was; what was upgraded before it stays.`,
    details: [...held],
  });
}
