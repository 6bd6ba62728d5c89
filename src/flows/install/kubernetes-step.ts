import { DeliverError } from '../../core/errors.ts';
import { inParallel } from '../../core/in-parallel.ts';
import type { Report, Step, StepResult } from '../../core/report.ts';
import type { Site } from '../../manifest/site-schema.ts';
import { clusterVersion, controlOf } from '../../site/kubeadm/cluster.ts';
import { balanceNode } from '../../site/kubeadm/endpoint.ts';
import { joinNodes, type Control } from '../../site/kubeadm/join.ts';
import { applyMarks, markChanges } from '../../site/kubeadm/labels.ts';
import { clusterNodes } from '../../site/kubeadm/nodes.ts';
import { removeNodes } from '../../site/kubeadm/remove.ts';
import { forgetSecrets } from '../../site/kubeadm/secrets.ts';
import { kubernetesSettings } from '../../site/kubeadm/settings.ts';
import { upgradeCluster } from '../../site/kubeadm/upgrade.ts';
import { connect, HOSTS_AT_ONCE, probeAll, type KubernetesWorld, type ProbedNode } from '../../site/kubeadm/world.ts';
import { etcdGroup } from '../../site/etcd/group.ts';

export interface KubernetesInput extends Pick<KubernetesWorld, 'hosts' | 'programs' | 'images'> {
  readonly site: Site;
  /** `kubernetes.version` of the release. */
  readonly version: string;
}

export interface KubernetesDone {
  /** A cluster was made in this run: its nodes become Ready only when the add-ons brought a network. */
  readonly made: boolean;
  readonly joined: readonly string[];
  readonly upgraded: readonly string[];
  readonly removed: readonly string[];
  /** Nodes that the site file no longer names, and that nobody said may be removed. */
  readonly strangers: readonly string[];
  readonly changed: number;
}

export function kubernetesWorld(input: KubernetesInput, report: Report, signal: AbortSignal): KubernetesWorld {
  const { hosts, programs, images } = input;
  return { settings: kubernetesSettings(input.site, input.version), hosts, programs, images, report, signal };
}

/**
 * Makes the cluster what site and release say: etcd, first control plane, upgrade, joins, load balancers, labels. What is
 * already so is left alone; judged from the hosts and the cluster, so that any run goes on where another one ended.
 * @throws DeliverError; E_HOST with every host’s state when some could not be joined
 */
export async function applyKubernetes(input: KubernetesInput, report: Report, signal: AbortSignal): Promise<KubernetesDone> {
  const world = kubernetesWorld(input, report, signal);
  const { settings } = world;
  const { probed, lost } = await probeAll(world);
  const etcd = settings.etcd.length === 0 ? undefined : await etcdGroup(world);
  const control = await controlOf(world, probed, etcd);
  const upgraded = control.made ? [] : await upgradeCluster(world, control, probed, await clusterVersion(control, signal));
  const newcomers = await placeOnNewcomers(world, control, probed);
  for (const { node } of newcomers.filter(({ node }) => node.controlPlane)) await etcd?.handOver(await connect(world, node));
  const { joined, failed } = await joinNodes(world, control, probed, await clusterNodes(control.connection, signal));
  const present = probed.filter(({ node }) => !failed.has(node.name));
  const tidied = (await balance(world, control, present)) + (await markNodes(world, control));
  const { removed, strangers } = await removeNodes(world, control);
  await forgetSecrets(control.connection, signal);
  refuseFailed(new Map([...lost].map(([name, why]) => [name, why])), failed, joined);
  const changed = Number(control.made) + joined.length + upgraded.length + removed.length + tidied + (etcd?.changed ?? 0);
  return { made: control.made, joined, upgraded, removed, strangers, changed };
}

/**
 * The step of install. Add-ons come after it, and they wait for the nodes (`waitForSiteNodes`): a cluster that was just made has no
 * network yet.
 * @param input asked for when the step runs: earlier steps make it
 */
export function kubernetesStep(input: () => KubernetesInput): Step {
  return {
    id: 'kubernetes',
    title: 'Kubernetes',
    run: async (report, signal) => {
      const given = input();
      return kubernetesSummary(await applyKubernetes(given, report, signal), given.version);
    },
  };
}

/** One line about it. */
function kubernetesSummary(done: KubernetesDone, version: string): StepResult {
  const parts = [
    ...(done.made ? [`${version} made`] : []),
    ...(done.upgraded.length === 0 ? [] : [`${done.upgraded.join(', ')} upgraded to ${version}`]),
    ...(done.joined.length === 0 ? [] : [`${done.joined.join(', ')} joined`]),
    ...(done.removed.length === 0 ? [] : [`${done.removed.join(', ')} removed`]),
    ...(done.strangers.length === 0 ? [] : [`${done.strangers.join(', ')} not in the site file`]),
  ];
  const summary = parts.length > 0 ? parts.join(' · ') : done.changed > 0 ? 'kept in step' : 'no change';
  return { summary, changed: done.changed };
}

async function placeOnNewcomers(
  world: KubernetesWorld,
  control: Control,
  probed: readonly ProbedNode[],
): Promise<readonly ProbedNode[]> {
  const known = new Set((await clusterNodes(control.connection, world.signal)).map(({ name }) => name));
  const newcomers = probed.filter(({ node, facts }) => !known.has(node.name) || facts.marker?.state === 'begun');
  await inParallel(newcomers, HOSTS_AT_ONCE, world.signal, async ({ node }, signal) => {
    await world.programs.place(node.name, ['kubeadm', 'kubelet', 'kubectl'], signal);
  });
  return newcomers;
}

async function balance(world: KubernetesWorld, control: Control, present: readonly ProbedNode[]): Promise<number> {
  if (world.settings.endpoint === undefined) return 0;
  let changed = 0;
  await inParallel(present, HOSTS_AT_ONCE, world.signal, async ({ node }) => {
    const state = { control: control.node.address, serves: node.controlPlane };
    changed += await balanceNode(world, await connect(world, node), node, state);
  });
  return changed;
}

async function markNodes({ settings, signal }: KubernetesWorld, { connection }: Control): Promise<number> {
  const found = await clusterNodes(connection, signal);
  let changed = 0;
  for (const node of [...settings.controlPlanes, ...settings.workers]) {
    const known = found.find(({ name }) => name === node.name);
    if (known !== undefined) changed += await applyMarks(connection, node.name, markChanges(node, known), signal);
  }
  return changed;
}

function refuseFailed(
  lost: ReadonlyMap<string, string>,
  failed: ReadonlyMap<string, DeliverError>,
  joined: readonly string[],
): void {
  if (lost.size + failed.size === 0) return;
  const lines = [
    ...[...lost].map(([name, why]) => `${name}: ${why}`),
    ...[...failed].map(([name, { facts }]) => `${name}: ${facts.what} ${facts.why ?? ''}`.trim()),
  ];
  const [only] = failed.size === 1 && lost.size === 0 ? failed.values() : [];
  const names = [...lost.keys(), ...failed.keys()].join(', ');
  throw new DeliverError(only?.code ?? 'E_HOST', {
    what: `${names} could not be made part of the cluster.`,
    why: lines.join(' · '),
    details: [...lines, ...(only?.facts.details ?? [])],
    fix: only?.facts.fix ?? 'Mend those hosts, then run the same command again; the others are left alone then.',
    state:
      joined.length === 0 ? 'The cluster works without them.' : `The cluster works without them; ${joined.join(', ')} joined.`,
  });
}
