import { isDeliverError } from '../../core/errors.ts';
import type { Report } from '../../core/report.ts';
import type { Member } from '../../site/etcd/ctl.ts';
import { planMembers } from '../../site/etcd/leave.ts';
import { clusterVersion } from '../../site/kubeadm/cluster.ts';
import { joinStates } from '../../site/kubeadm/join.ts';
import { markChanges } from '../../site/kubeadm/labels.ts';
import { clusterNodes, type ClusterNode } from '../../site/kubeadm/nodes.ts';
import type { KubernetesNode } from '../../site/kubeadm/settings.ts';
import { firstState } from '../../site/kubeadm/state.ts';
import { upgradeStep } from '../../site/kubeadm/upgrade-path.ts';
import { connect, probeAll, type KubernetesWorld, type ProbedNode } from '../../site/kubeadm/world.ts';
import { kubernetesWorld, type KubernetesInput } from '../install/kubernetes-step.ts';

/**
 * What an install would do with one host. `make`: it becomes the first control plane; `await`: its cluster is there and does
 * not answer; `mark`: labels and taints; `stranger`: a node that the site file lacks, which stays.
 */
export type KubernetesAction =
  'etcd' | 'make' | 'join' | 'upgrade' | 'mark' | 'keep' | 'remove' | 'stranger' | 'await' | 'foreign' | 'unreachable';

/** One host of the cluster. */
export interface KubernetesPlanItem {
  readonly host: string;
  readonly role: 'control-plane' | 'worker' | 'etcd';
  readonly action: KubernetesAction;
  /** What an earlier run began there is gone on with, or begun again. */
  readonly again?: true;
  /** Version that runs there. */
  readonly from?: string;
  /** More about it: why it can’t be looked at, how many labels. */
  readonly why?: string;
  readonly done: boolean;
}

/** What an install would do to Kubernetes. */
export interface KubernetesPlan {
  /** Version of the cluster; absent while there is none that answers. */
  readonly from?: string;
  readonly to: string;
  /** In the order of the install. */
  readonly nodes: readonly KubernetesPlanItem[];
  /** Workers that are upgraded at once. */
  readonly upgradeBatch: number;
}

/** Nothing to do there, as far as the plan goes. */
const SETTLED: ReadonlySet<KubernetesAction> = new Set(['keep', 'stranger']);

/** What `applyKubernetes` would do, found without changing anything. @throws DeliverError E_PREFLIGHT for what it would refuse */
export async function planKubernetes(input: KubernetesInput, report: Report, signal: AbortSignal): Promise<KubernetesPlan> {
  const world = kubernetesWorld(input, report, signal);
  const { version, upgradeBatch } = world.settings;
  const { probed, lost } = await probeAll(world);
  const unreachable = [...world.settings.controlPlanes, ...world.settings.workers].flatMap((node) => {
    const why = lost.get(node.name);
    return why === undefined ? [] : [item(node, 'unreachable', { why })];
  });
  const serving = probed.find(({ node, facts }) => node.controlPlane && facts.ready && facts.marker?.state !== 'begun');
  if (serving === undefined) return { to: version, nodes: [...newCluster(world, probed), ...unreachable], upgradeBatch };
  const control = { node: serving.node, connection: await connect(world, serving.node) };
  const from = await clusterVersion(control, signal);
  upgradeStep(from, version);
  const known = await clusterNodes(control.connection, signal);
  const members = inOrder(
    joinStates(probed, known).map((state) => memberItem(state, known, from, version)),
    serving.node.name,
  );
  const nodes = [...(await etcdItems(world)), ...members, ...leaving(world, known), ...unreachable];
  return { from, to: version, nodes, upgradeBatch };
}

/** Members that an etcd of its own gets or loses; one that can't be reached is the preflight’s to tell. */
async function etcdItems({ settings, hosts, signal }: KubernetesWorld): Promise<KubernetesPlanItem[]> {
  const reached: Member[] = [];
  for (const node of settings.etcd) {
    try {
      reached.push({ node, connection: await hosts.connect(node.name, signal) });
    } catch (error) {
      if (!isDeliverError(error) || isDeliverError(error, 'E_INTERRUPTED', 'E_BUG')) throw error;
    }
  }
  const { joining, leaving } = await planMembers(settings, reached);
  const one = (host: string, action: 'join' | 'remove'): KubernetesPlanItem => ({ host, role: 'etcd', action, done: false });
  return [...joining.map((host) => one(host, 'join')), ...leaving.map((host) => one(host, 'remove'))];
}

/** No API answers: the cluster is made, or the one that was there is waited for. */
function newCluster({ settings }: KubernetesWorld, probed: readonly ProbedNode[]): KubernetesPlanItem[] {
  const standing = probed.some(
    ({ node, facts }) => node.controlPlane && facts.marker?.state === 'done' && facts.files.includes('admin.conf'),
  );
  const first = settings.controlPlanes[0]?.name;
  const hosts = probed.map(({ node, facts }) => {
    if (standing) return item(node, 'await');
    if (node.name !== first) return item(node, 'join', facts.marker === undefined ? {} : { again: true });
    const state = firstState(facts);
    return state === 'foreign' ? item(node, 'foreign') : item(node, 'make', state === 'join' ? {} : { again: true });
  });
  const etcd = settings.etcd.map(({ name }): KubernetesPlanItem => ({ host: name, role: 'etcd', action: 'etcd', done: false }));
  return [...(standing ? [] : etcd), ...hosts];
}

function memberItem(
  { probed: { node, facts }, state }: ReturnType<typeof joinStates>[number],
  known: readonly ClusterNode[],
  current: string,
  version: string,
): KubernetesPlanItem {
  if (state === 'foreign') return item(node, 'foreign');
  if (state !== 'member') return item(node, 'join', state === 'join' ? {} : { again: true });
  const found = known.find(({ name }) => name === node.name);
  const from = found?.version ?? current;
  if (from !== version || facts.manifests.some((each) => each !== version)) return item(node, 'upgrade', { from });
  const marks = found === undefined ? undefined : markChanges(node, found);
  if (marks !== undefined && marks.labels.length + marks.taints.length > 0)
    return item(node, 'mark', { from, why: [...marks.labels, ...marks.taints].join(', ') });
  return item(node, 'keep', { from });
}

/** Upgrades before joins, the control plane that serves before the others, control planes before workers. */
function inOrder(items: readonly KubernetesPlanItem[], serving: string): KubernetesPlanItem[] {
  const rank = ({ host, role, action }: KubernetesPlanItem): number =>
    (action === 'join' ? 10 : 0) + (role === 'worker' ? 4 : 0) + (host === serving ? 0 : 1);
  return items.toSorted((a, b) => rank(a) - rank(b));
}

/** Nodes that the site file no longer names. */
function leaving({ settings }: KubernetesWorld, known: readonly ClusterNode[]): KubernetesPlanItem[] {
  const wanted = new Set([...settings.controlPlanes, ...settings.workers].map(({ name }) => name));
  return known
    .filter(({ name }) => !wanted.has(name))
    .map((node) => item(node, settings.drain.includes(node.name) ? 'remove' : 'stranger', { from: node.version }));
}

function item(
  { name, controlPlane }: Pick<KubernetesNode, 'name' | 'controlPlane'>,
  action: KubernetesAction,
  more: Pick<KubernetesPlanItem, 'again' | 'from' | 'why'> = {},
): KubernetesPlanItem {
  return { host: name, role: controlPlane ? 'control-plane' : 'worker', action, ...more, done: SETTLED.has(action) };
}
