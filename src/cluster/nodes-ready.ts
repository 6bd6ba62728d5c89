import { countText } from '../core/amounts.ts';
import { DeliverError } from '../core/errors.ts';
import type { Report } from '../core/report.ts';
import { conditionOf, textAt } from './fields.ts';
import { pause } from './pause.ts';
import type { ClusterApi, KubeObject } from './port.ts';

const NODE = { apiVersion: 'v1', kind: 'Node' } as const;
/** The kubelet looks for a network every few seconds, and says so every ten. */
const TIMEOUT = 120_000;
/** The same for every node of a site: a joined host may still be loading the images of its network. */
const SITE_TIMEOUT = 300_000;
const BETWEEN = 1_000;
const NO_NETWORK = 'it has no pod network yet';
const NETWORK_FIX =
  'The release brings no pod network: add one under manifests: (docs/guides/addons.md), resolve and pack again.';

/** How a node of the cluster is. */
export interface NodeState {
  readonly name: string;
  readonly ready: boolean;
  /** Why not; empty when it is ready. */
  readonly message: string;
  /** Version of its kubelet. */
  readonly version: string;
}

/** The nodes of the cluster by name. */
export async function nodeStates(api: Pick<ClusterApi, 'list'>, signal?: AbortSignal): Promise<NodeState[]> {
  const nodes = await api.list(NODE, {}, signal);
  return nodes.map(stateOf).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** True when some node takes pods: one that is down for good must not hold up the others. A cluster without nodes has nothing to wait for. */
export async function nodesReady(api: Pick<ClusterApi, 'list'>, signal?: AbortSignal): Promise<boolean> {
  const nodes = await nodeStates(api, signal);
  return nodes.length === 0 || nodes.some(({ ready }) => ready);
}

export interface WaitForNodes {
  readonly hasNetwork: boolean;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** Waits for all nodes of a new cluster. @throws DeliverError E_NOT_READY when none gets ready in time */
export async function waitForNodes(api: Pick<ClusterApi, 'list'>, { hasNetwork, report, signal }: WaitForNodes): Promise<void> {
  const end = performance.now() + TIMEOUT;
  for (;;) {
    const nodes = await nodeStates(api, signal);
    const waiting = nodes.filter(({ ready }) => !ready);
    const detail = waiting[0] === undefined ? '' : `${waiting[0].name} ${waiting[0].message}`;
    report.progress({ done: nodes.length - waiting.length, total: nodes.length, unit: 'items', detail });
    if (waiting.length === 0) return;
    if (performance.now() > end) {
      if (waiting.length < nodes.length) return;
      throw noneReady(waiting, hasNetwork);
    }
    await pause(BETWEEN, signal);
  }
}

export interface WaitForSiteNodes extends WaitForNodes {
  /** Milliseconds. */
  readonly timeout?: number;
}

/**
 * Waits until each of these nodes is ready: what follows would find no place on one that is not, and an upgrade is not done.
 * @throws DeliverError E_NOT_READY naming those that are not, each with what its kubelet says
 */
export async function waitForSiteNodes(
  api: Pick<ClusterApi, 'list'>,
  names: readonly string[],
  { hasNetwork, report, signal, timeout = SITE_TIMEOUT }: WaitForSiteNodes,
): Promise<void> {
  const end = performance.now() + timeout;
  for (;;) {
    const known = new Map((await nodeStates(api, signal)).map((node) => [node.name, node]));
    const waiting = names.map((name) => known.get(name) ?? unknownNode(name)).filter(({ ready }) => !ready);
    const [first] = waiting;
    if (first === undefined) return;
    const detail = `${first.name}: ${first.message}`;
    report.progress({ done: names.length - waiting.length, total: names.length, unit: 'items', detail });
    if (performance.now() > end) throw notAllReady(waiting, names.length, { hasNetwork, timeout });
    await pause(BETWEEN, signal);
  }
}

function unknownNode(name: string): NodeState {
  return { name, ready: false, message: 'the cluster has no such node', version: '' };
}

function notAllReady(
  waiting: readonly NodeState[],
  all: number,
  { hasNetwork, timeout }: { readonly hasNetwork: boolean; readonly timeout: number },
): DeliverError {
  const seconds = String(Math.round(timeout / 1000));
  const lines = waiting.map(({ name, message }) => `${name}: ${message}`);
  const bare = !hasNetwork && waiting.every(({ message }) => message === NO_NETWORK);
  return new DeliverError('E_NOT_READY', {
    what: `${waiting.map(({ name }) => name).join(', ')} ${waiting.length === 1 ? 'is' : 'are'} not ready (${String(waiting.length)} of ${countText(all, 'node')}).`,
    why: `After ${seconds} s: ${lines.slice(0, 3).join('; ')}`,
    details: lines,
    fix: bare
      ? NETWORK_FIX
      : `Look at kubectl describe node ${waiting[0]?.name ?? ''}, and journalctl -u kubelet there; then run the same command again.`,
    state: 'What was applied stays, and the same command goes on from there; the apps of this release were not begun.',
  });
}

function noneReady(nodes: readonly NodeState[], hasNetwork: boolean): DeliverError {
  return new DeliverError('E_NOT_READY', {
    what: `No node of the cluster is ready (${countText(nodes.length, 'node')}).`,
    why: nodes.map(({ name, message }) => `${name}: ${message}`).join('; '),
    fix: hasNetwork ? 'Look at the pods of the network plugin: kubectl get pods -A -o wide' : NETWORK_FIX,
    state: 'What was applied stays, and the same command goes on from there.',
  });
}

/** The kubelet says in 140 columns that there is no CNI configuration. */
function shortened(message: string): string {
  return message.startsWith('container runtime network not ready') ? NO_NETWORK : message;
}

function stateOf(node: KubeObject): NodeState {
  const condition = conditionOf(node, 'Ready');
  const ready = condition?.status === 'True';
  return {
    name: node.metadata.name,
    ready,
    message: ready ? '' : shortened(condition?.message ?? 'says nothing'),
    version: textAt(node, 'status', 'nodeInfo', 'kubeletVersion') ?? '',
  };
}
