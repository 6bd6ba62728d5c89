import { DeliverError } from '../core/errors.ts';
import { inParallel } from '../core/in-parallel.ts';
import type { HostConnection } from '../ssh/port.ts';
import { ETCD_CLIENT, ETCD_DATA, ETCD_PKI, ETCD_UNIT } from './etcd-files.ts';
import { clientKeys, makeEtcdCa, memberKeys, type EtcdKeys } from './etcd-pki.ts';
import { etcdUnit } from './etcd-unit.ts';
import { placeFiles } from './kubeadm-endpoint.ts';
import { parseMembers, type EtcdMember } from './kubeadm-etcd-members.ts';
import { locked, onHost, tryOnHost } from './kubeadm-host.ts';
import type { PreparedEtcd } from './kubeadm-init.ts';
import type { KubernetesNode } from './kubeadm-settings.ts';
import { connect, HOSTS_AT_ONCE, type KubernetesWorld } from './kubeadm-world.ts';
import { hostPort } from './lb-endpoint.ts';

const HEALTH_SECONDS = 90;
const ACCESS = `--cacert=${ETCD_PKI}/ca.crt --cert=${ETCD_PKI}/healthcheck-client.crt --key=${ETCD_PKI}/healthcheck-client.key`;

interface Member {
  readonly node: KubernetesNode;
  readonly connection: HostConnection;
}

/**
 * An etcd on hosts of its own: a CA on the first of them, keys, a systemd unit, and members that join one at a time; a
 * member that is there is left alone. @throws DeliverError E_NOT_READY when a member does not become healthy
 */
export async function etcdGroup(world: KubernetesWorld): Promise<PreparedEtcd> {
  const { settings, signal, report } = world;
  const members: Member[] = [];
  await inParallel(settings.etcd, HOSTS_AT_ONCE, signal, async (node) => {
    await world.programs.place(node.name, ['kubeadm'], signal);
    members.push({ node, connection: await connect(world, node) });
  });
  const ordered = settings.etcd.flatMap((node) => members.filter((member) => member.node.name === node.name));
  const [first] = ordered;
  if (first === undefined) throw new DeliverError('E_BUG', { what: 'An etcd of its own without a host.' });
  await makeEtcdCa(first.connection, settings, first.node);
  for (const member of ordered) {
    if (await isHealthy(member)) continue;
    report.note(`${member.node.name}: etcd`);
    await startMember(world, member, first, ordered);
  }
  const client = async (control: HostConnection): Promise<void> => {
    if (await hasKeys(control)) return;
    await placeClient(control, await clientKeys(first.connection, settings, first.node));
  };
  return { handOver: client, empty: () => emptyKubernetes(first) };
}

/**
 * New keys for an etcd of its own, one member at a time, and for its clients; those are used when the API servers start next.
 * @throws DeliverError E_NOT_READY when a member does not come back: the others keep theirs then
 */
export async function renewEtcdGroup({
  settings,
  hosts,
  signal,
}: Pick<KubernetesWorld, 'settings' | 'hosts' | 'signal'>): Promise<void> {
  const members: Member[] = [];
  for (const node of settings.etcd) members.push({ node, connection: await hosts.connect(node.name, signal) });
  const [first] = members;
  if (first === undefined) return;
  for (const member of members) {
    await placeMemberKeys(member, await memberKeys(first.connection, settings, member.node));
    await onHost(member.connection, locked('systemctl restart --no-block etcd'), {
      what: 'restarting etcd',
      timeout: 700_000,
      signal,
    });
    await waitHealthy(member, signal);
  }
  for (const node of settings.controlPlanes) {
    await placeClient(await hosts.connect(node.name, signal), await clientKeys(first.connection, settings, first.node));
  }
}

async function placeMemberKeys({ connection }: Member, { ca, files }: EtcdKeys): Promise<void> {
  await placeFiles(connection, [
    { path: `${ETCD_PKI}/ca.crt`, content: ca, mode: '644' },
    ...Object.entries(files).map(([name, content]) => ({ path: `${ETCD_PKI}/${name}`, content })),
  ]);
}

/** Whether a control plane has etcd’s keys already. */
async function hasKeys(control: HostConnection): Promise<boolean> {
  const { caFile, certFile, keyFile } = ETCD_CLIENT;
  const ran = await tryOnHost(control, `[ -s ${caFile} ] && [ -s ${certFile} ] && [ -s ${keyFile} ]`, {
    what: 'looking for etcd’s keys',
  });
  return ran.code === 0;
}

async function placeClient(control: HostConnection, { ca, files }: EtcdKeys): Promise<void> {
  await placeFiles(control, [
    { path: ETCD_CLIENT.caFile, content: ca, mode: '644' },
    { path: ETCD_CLIENT.certFile, content: files['apiserver-etcd-client.crt'] ?? '', mode: '644' },
    { path: ETCD_CLIENT.keyFile, content: files['apiserver-etcd-client.key'] ?? '' },
  ]);
}

async function startMember(
  { settings, signal }: KubernetesWorld,
  member: Member,
  first: Member,
  all: readonly Member[],
): Promise<void> {
  const { node, connection } = member;
  const standing = await membersOf(first, all);
  const initial = await clusterFor(member, standing, all);
  await placeMemberKeys(member, await memberKeys(first.connection, settings, node));
  await placeFiles(connection, [{ path: ETCD_UNIT, content: etcdUnit({ node, ...initial }), mode: '644' }]);
  const start = locked(
    `set -e; mkdir -p ${ETCD_DATA}; chmod 700 ${ETCD_DATA}; systemctl daemon-reload; systemctl enable -q etcd; systemctl restart --no-block etcd`,
  );
  await onHost(connection, start, { what: 'starting etcd', timeout: 700_000, signal });
  if (standing !== undefined) await promote(member, standing.via, signal);
  await waitHealthy(member, signal);
}

/** A newcomer has no vote until it has caught up: one that never starts takes nothing from the others. */
async function promote({ node }: Member, via: Member, signal: AbortSignal): Promise<void> {
  const text = await onHost(via.connection, etcdctl(via.node, 'member list -w json'), { what: 'listing the members of etcd' });
  const newcomer = parseMembers(text).find((member) => member.peer === peerOf(node));
  if (newcomer?.learner !== true) return;
  const work = { what: `giving ${node.name} a vote in etcd`, timeout: (HEALTH_SECONDS + 30) * 1000, signal };
  await onHost(via.connection, untilDone(etcdctl(via.node, `member promote ${newcomer.id}`)), work);
}

/** A shell line that tries again until it works, or the time is over; then what was said last. */
function untilDone(command: string): string {
  return `e=$(($(date +%s)+${String(HEALTH_SECONDS)})); while :; do a=$(${command} 2>&1) && exit 0; [ $(date +%s) -lt $e ] || break; sleep 1; done; printf '%s\\n' "$a" | tail -n 3 >&2; exit 1`;
}

/** The members of a cluster that is there, asked of any that answers; none: it is to be made. */
async function membersOf(
  first: Member,
  all: readonly Member[],
): Promise<{ readonly via: Member; readonly members: readonly EtcdMember[] } | undefined> {
  for (const via of [first, ...all]) {
    if (!(await isHealthy(via))) continue;
    const text = await onHost(via.connection, etcdctl(via.node, 'member list -w json'), { what: 'listing the members of etcd' });
    return { via, members: parseMembers(text) };
  }
  return undefined;
}

/** What the unit says about the others; a member that is new to a cluster is announced to it first. */
async function clusterFor(
  { node }: Member,
  standing: Awaited<ReturnType<typeof membersOf>>,
  all: readonly Member[],
): Promise<{ readonly initialCluster: readonly KubernetesNode[]; readonly state: 'new' | 'existing' }> {
  if (standing === undefined) {
    // Made by the first alone: the others join it, whatever becomes of this run.
    return { initialCluster: [node], state: 'new' };
  }
  const { via, members } = standing;
  const peer = peerOf(node);
  if (!members.some((member) => member.peer === peer)) {
    await onHost(via.connection, etcdctl(via.node, `member add ${node.name} --learner --peer-urls=${peer}`), {
      what: `announcing ${node.name} to etcd`,
    });
  }
  const known = new Set([...members.map((member) => member.peer), peer]);
  return { initialCluster: all.map((each) => each.node).filter((each) => known.has(peerOf(each))), state: 'existing' };
}

function peerOf({ address }: KubernetesNode): string {
  return `https://${hostPort(address, 2380)}`;
}

function etcdctl({ address }: KubernetesNode, args: string): string {
  return `etcdctl --endpoints=https://${hostPort(address, 2379)} ${ACCESS} --command-timeout=10s ${args}`;
}

async function isHealthy({ node, connection }: Member): Promise<boolean> {
  const script = `systemctl is-active -q etcd && ${etcdctl(node, 'endpoint health')}`;
  return (await tryOnHost(connection, script, { what: 'etcd’s health' })).code === 0;
}

async function waitHealthy({ node, connection }: Member, signal: AbortSignal): Promise<void> {
  const script = untilDone(etcdctl(node, 'endpoint health'));
  const ran = await tryOnHost(connection, script, { what: 'etcd', timeout: (HEALTH_SECONDS + 30) * 1000, signal });
  if (ran.code === 0) return;
  throw new DeliverError('E_NOT_READY', {
    what: `etcd on ${node.name} does not become healthy.`,
    why: ran.stderr.trim().split('\n').at(-1) ?? '',
    fix: `Look there with: journalctl -u etcd; then run the same command again.`,
    state: 'The members before it work; no control plane was changed.',
  });
}

/** Deletes the objects of a cluster that was begun and never finished. */
async function emptyKubernetes({ node, connection }: Member): Promise<void> {
  await onHost(connection, etcdctl(node, 'del /registry --prefix'), { what: 'emptying etcd' });
}
