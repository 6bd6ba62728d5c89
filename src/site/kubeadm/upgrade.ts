import { isDeliverError } from '../../core/errors.ts';
import { inParallel } from '../../core/in-parallel.ts';
import { lt } from 'semver';
import type { HostConnection } from '../../ssh/port.ts';
import { waitApi } from './cluster.ts';
import { upgradeDocument, upgradeFlags } from './config.ts';
import { CORDONED, DRAIN_SECONDS, drainNode, refuseLonePods, releaseNode } from './drain.ts';
import { placeFiles } from './endpoint.ts';
import { waitNodesReady, waitSystemPods } from './gate.ts';
import { kubeadm, kubectl, locked, onHost } from './host.ts';
import type { Control } from './join.ts';
import { kubeletPatch } from './config.ts';
import { clusterNodes, type ClusterNode } from './nodes.ts';
import { KUBELET_PATCH } from './paths.ts';
import { refuseSkippedMinor, upgradeStep } from './upgrade-path.ts';
import { waitWorkloads, wholeWorkloads } from './workloads.ts';
import { connect, type KubernetesWorld, type ProbedNode } from './world.ts';

const UPGRADE_TIMEOUT = 20 * 60_000;
const NODE_TIMEOUT = 10 * 60_000;
/** A control plane that was interrupted starts its pods again, with the kubelet’s growing pauses. */
const SETTLE_TIMEOUT = 6 * 60_000;

/**
 * Brings the cluster to the release’s version: the first control plane, the other ones one at a time, then workers in
 * batches; each drained, its kubelet replaced, and healthy again, with every workload whole, before the next. What is done
 * already is seen in the cluster and on the hosts, so a run that was killed is gone on with. An equal version is only looked at.
 * @returns names of what was upgraded
 * @throws DeliverError E_PREFLIGHT for a step that Kubernetes can’t take; E_NOT_READY, E_HOST
 */
export async function upgradeCluster(
  world: KubernetesWorld,
  control: Control,
  probed: readonly ProbedNode[],
  current: string,
): Promise<string[]> {
  const { settings, signal } = world;
  const { version, upgradeBatch } = settings;
  upgradeStep(current, version);
  const upgraded: string[] = [];
  const nodes = await clusterNodes(control.connection, signal);
  const members = probed.filter(
    ({ node, facts }) => facts.marker?.state !== 'begun' && nodes.some(({ name }) => name === node.name),
  );
  const controlPlanes = members.filter(({ node }) => node.controlPlane);
  refuseSkippedMinor(controlPlanes, version);
  await refuseLonePods(control.connection, toDrain(nodes, members, version), signal);
  const isOld = ({ node, facts }: ProbedNode): boolean =>
    facts.manifests.some((each) => each !== version) ||
    nodes.some((each) => each.name === node.name && (each.version !== version || CORDONED in each.annotations));
  const whole = members.some(isOld) ? await wholeWorkloads(control.connection, world.report, signal) : new Set<string>();
  const upgrade = async (each: ProbedNode): Promise<void> => {
    if (!(await upgradeNode(world, control, each, current))) return;
    upgraded.push(each.node.name);
    await waitWorkloads(control.connection, whole, { timeout: NODE_TIMEOUT, signal });
  };
  const ordered = controlPlanes.toSorted(
    (a, b) => Number(b.node.name === control.node.name) - Number(a.node.name === control.node.name),
  );
  for (const each of ordered) await upgrade(each);
  const workers = members.filter(({ node }) => !node.controlPlane);
  await inParallel(workers, upgradeBatch, signal, upgrade);
  return upgraded;
}

/** Nodes that are drained on the way, of a cluster with more than one. */
function toDrain(nodes: readonly ClusterNode[], members: readonly ProbedNode[], version: string): string[] {
  const open = nodes.filter(({ ready, cordoned }) => ready && !cordoned);
  return nodes
    .filter((each) => each.ready && lt(each.version, version))
    .filter(({ name }) => members.some(({ node }) => node.name === name) && open.some((other) => other.name !== name))
    .map(({ name }) => name);
}

async function upgradeNode(
  world: KubernetesWorld,
  control: Control,
  { node, facts }: ProbedNode,
  current: string,
): Promise<boolean> {
  const { settings, signal, report } = world;
  const { version } = settings;
  const found = (await clusterNodes(control.connection, signal)).find(({ name }) => name === node.name);
  if (found === undefined) return false;
  const first = node.name === control.node.name;
  const staticPods = node.controlPlane && facts.manifests.some((each) => each !== version);
  const cluster = first && (current !== version || staticPods || !(await proxyIs(control.connection, version)));
  const kubelet = lt(found.version, version);
  if (!staticPods && !cluster && !kubelet) {
    // A run that was killed after the kubelet came up again left only this.
    if (CORDONED in found.annotations) await releaseNode(control.connection, node.name, signal);
    return CORDONED in found.annotations;
  }
  report.note(`${node.name}: Kubernetes ${found.version} → ${version}`);
  const connection = await connect(world, node);
  await world.programs.place(node.name, ['kubeadm'], signal);
  await placeFiles(connection, [{ path: KUBELET_PATCH, content: kubeletPatch(version, facts) }]);
  await healthyUpgrade(world, control, node.name, () => runUpgrade(world, connection, cluster ? 'apply' : 'node'));
  if (node.controlPlane) await waitApi({ node, connection }, signal);
  if (kubelet) await replaceKubelet(world, control, connection, found);
  await releaseNode(control.connection, node.name, signal);
  if (found.ready) await waitSystemPods(control.connection, node.name, { timeout: NODE_TIMEOUT, signal });
  return true;
}

/**
 * kubeadm first has a Job done within 15 s. After an interrupted upgrade the controller manager may just be starting, and the
 * lease of the one before may have to run out: then it is worth another try.
 */
async function healthyUpgrade(
  { signal, report }: KubernetesWorld,
  control: Control,
  name: string,
  upgrade: () => Promise<void>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await waitSystemPods(control.connection, control.node.name, { timeout: SETTLE_TIMEOUT, signal });
    try {
      await upgrade();
      return;
    } catch (error) {
      if (!isDeliverError(error, 'E_HOST') || attempt >= 3 || !(error.facts.why ?? '').includes('CreateJob')) throw error;
      report.note(`${name}: the cluster did not do kubeadm’s test job in time; trying again.`);
    }
  }
}

async function runUpgrade(
  { settings: { version }, signal }: KubernetesWorld,
  connection: HostConnection,
  verb: 'apply' | 'node',
): Promise<void> {
  const config = upgradeDocument(version);
  const target = verb === 'apply' ? ` ${version}` : '';
  await kubeadm(connection, {
    args:
      config === undefined
        ? `upgrade ${verb}${target} ${upgradeFlags(verb)}`
        : `upgrade ${verb}${verb === 'apply' ? ' --yes' : ''}`,
    ...(config === undefined ? {} : { config }),
    timeout: UPGRADE_TIMEOUT,
    signal,
  });
}

/** Drained before the kubelet of a new minor version starts there; a node without company has nowhere to drain to. */
async function replaceKubelet(
  world: KubernetesWorld,
  control: Control,
  connection: HostConnection,
  found: ClusterNode,
): Promise<void> {
  const { settings, signal, programs, report } = world;
  const others = (await clusterNodes(control.connection, signal)).some(
    ({ name, ready, cordoned }) => name !== found.name && ready && !cordoned,
  );
  if (others && found.ready) await drainNode(control.connection, found, { seconds: DRAIN_SECONDS, report, signal });
  await programs.place(found.name, ['kubelet', 'kubectl'], signal);
  await onHost(connection, locked('systemctl daemon-reload; systemctl restart kubelet'), {
    what: 'restarting the kubelet',
    timeout: 700_000,
    signal,
  });
  const gate = { timeout: NODE_TIMEOUT, signal };
  if (found.ready) await waitNodesReady(control.connection, [found.name], { ...gate, version: settings.version });
}

/** kube-proxy is the last thing that `upgrade apply` changes. */
async function proxyIs(control: HostConnection, version: string): Promise<boolean> {
  const args = `-n kube-system get daemonset kube-proxy --ignore-not-found -o jsonpath='{.spec.template.spec.containers[0].image}'`;
  const image = (await kubectl(control, args)).trim();
  return image === '' || image.endsWith(`:${version}`);
}
