import { DeliverError } from '../../core/errors.ts';
import { inParallel } from '../../core/in-parallel.ts';
import type { HostConnection } from '../../ssh/port.ts';
import { ETCD_CLIENT, ETCD_DATA, ETCD_PKI, ETCD_UNIT } from './files.ts';
import { clientKeys, makeEtcdCa, memberKeys, type EtcdKeys } from './pki.ts';
import { etcdUnit, type EtcdPeer } from './unit.ts';
import { placeFiles } from '../kubeadm/endpoint.ts';
import { removeMember, removeMembers } from './leave.ts';
import {
  addMember,
  etcdctl,
  filesOf,
  HEALTH_TIMEOUT,
  initialPeers,
  isHealthy,
  isOutdated,
  peerOf,
  standingOf,
  untilDone,
  waitHealthy,
  type Member,
  type MemberFiles,
  type Standing,
} from './ctl.ts';
import { parseMembers } from '../kubeadm/etcd-members.ts';
import { locked, onHost, tryOnHost } from '../kubeadm/host.ts';
import type { PreparedEtcd } from '../kubeadm/init.ts';
import { connect, HOSTS_AT_ONCE, type KubernetesWorld } from '../kubeadm/world.ts';

/**
 * An etcd on hosts of its own: a CA on one of them, keys, a systemd unit, and members that join one at a time; a member that is
 * there is left alone, or started anew when the release brought another version. Members that are to go leave it last.
 * @throws DeliverError E_NOT_READY when a member does not become healthy; E_PREFLIGHT when keys or data are lost
 */
export async function etcdGroup(world: KubernetesWorld): Promise<PreparedEtcd & { readonly changed: number }> {
  const { settings, signal, report } = world;
  const members: Member[] = [];
  await inParallel(settings.etcd, HOSTS_AT_ONCE, signal, async (node) => {
    await world.programs.place(node.name, ['kubeadm'], signal);
    members.push({ node, connection: await connect(world, node) });
  });
  const ordered = settings.etcd.flatMap((node) => members.filter((member) => member.node.name === node.name));
  const desk = await caDesk(ordered);
  await makeEtcdCa(desk.connection, settings, desk.node);
  await wake(ordered, signal);
  let changed = 0;
  for (const member of ordered) {
    if (await isHealthy(member)) continue;
    report.note(`${member.node.name}: etcd`);
    await startMember(world, member, desk, ordered);
    changed++;
  }
  changed += await upgradeMembers(world, ordered);
  changed += await removeMembers(world, ordered);
  const client = async (control: HostConnection): Promise<void> => {
    if (await hasKeys(control)) return;
    await placeClient(control, await clientKeys(desk.connection, settings, desk.node));
  };
  return { handOver: client, empty: () => emptyKubernetes(desk), changed };
}

/**
 * The member that has the key of the CA: the first of the site file when there is no CA yet. One that is gone must not be followed
 * by another CA, which the other members would not know. @throws DeliverError E_PREFLIGHT
 */
async function caDesk(members: readonly Member[]): Promise<Member> {
  const [first] = members;
  if (first === undefined) throw new DeliverError('E_BUG', { what: 'An etcd of its own without a host.' });
  const found: { readonly member: Member; readonly files: MemberFiles }[] = [];
  for (const member of members) found.push({ member, files: await filesOf(member) });
  const desk = found.find(({ files }) => files.caKey && files.ca);
  if (desk !== undefined) return desk.member;
  const having = found.filter(({ files }) => files.ca).map(({ member }) => member.node.name);
  if (having.length === 0) return first;
  throw new DeliverError('E_PREFLIGHT', {
    what: 'The key of etcd’s CA is on none of its hosts.',
    why: `${having.join(', ')} ${having.length === 1 ? 'has' : 'have'} the CA’s certificate; deliver made its key on the first host of roles.etcd.`,
    fix: `Put ${ETCD_PKI}/ca.key back on one of them (mode 600), from that host or its backup.`,
    state: 'Nothing was changed; etcd works as before.',
  });
}

/** After a power cut nobody answers until enough have started: members that have their data are started together. */
async function wake(members: readonly Member[], signal: AbortSignal): Promise<void> {
  if ((await standingOf(members)) !== undefined) return;
  const standing: Member[] = [];
  for (const member of members) if ((await filesOf(member)).data) standing.push(member);
  const work = { what: 'starting etcd', timeout: 700_000, signal };
  for (const { connection } of standing) await onHost(connection, locked('systemctl start --no-block etcd'), work);
  const [one] = standing;
  if (one !== undefined) await waitHealthy(one, signal);
}

/** Members whose program is newer than what runs, one at a time, while the others can do without each. */
async function upgradeMembers({ report, signal }: KubernetesWorld, members: readonly Member[]): Promise<number> {
  let upgraded = 0;
  for (const member of members) {
    if (!(await isOutdated(member))) continue;
    report.note(`${member.node.name}: etcd starts in its new version`);
    await restart(member, signal);
    upgraded++;
  }
  return upgraded;
}

async function restart(member: Member, signal: AbortSignal): Promise<void> {
  // systemd waits until it has joined the others, which may never be; the process before must be gone before health is asked.
  await onHost(member.connection, locked('timeout 90 systemctl restart etcd || :'), {
    what: 'restarting etcd',
    timeout: 800_000,
    signal,
  });
  await waitHealthy(member, signal);
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
  if (members.length === 0) return;
  const desk = await caDesk(members);
  for (const member of members) {
    await placeMemberKeys(member, await memberKeys(desk.connection, settings, member.node));
    await restart(member, signal);
  }
  for (const node of settings.controlPlanes) {
    await placeClient(await hosts.connect(node.name, signal), await clientKeys(desk.connection, settings, desk.node));
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
  desk: Member,
  all: readonly Member[],
): Promise<void> {
  const { node, connection } = member;
  const standing = await standingOf(all);
  const initial = await clusterFor(member, standing, all, signal);
  await placeMemberKeys(member, await memberKeys(desk.connection, settings, node));
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
  const work = { what: `giving ${node.name} a vote in etcd`, timeout: HEALTH_TIMEOUT, signal };
  await onHost(via.connection, untilDone(etcdctl(via.node, `member promote ${newcomer.id}`)), work);
}

/** What the unit says about the others; a member that is new to a cluster is announced to it first. */
async function clusterFor(
  member: Member,
  standing: Standing | undefined,
  all: readonly Member[],
  signal: AbortSignal,
): Promise<{ readonly initialCluster: readonly EtcdPeer[]; readonly state: 'new' | 'existing' }> {
  const { node } = member;
  if (standing === undefined) {
    await refuseSecondGroup(all);
    // Made by the first alone: the others join it, whatever becomes of this run.
    return { initialCluster: [{ name: node.name, peer: peerOf(node) }], state: 'new' };
  }
  const { via, members } = standing;
  const peer = peerOf(node);
  const before = members.find((each) => each.peer === peer);
  // One that began once and has no data any more (a host set up anew) must not come back as the old one: it would have forgotten its votes.
  const lost = before !== undefined && before.name !== '' && !(await filesOf(member)).data;
  if (lost) await removeMember(standing, before, signal);
  if (before === undefined || lost) await addMember(via, node, signal);
  return { initialCluster: initialPeers(node, members), state: 'existing' };
}

/** A host without data must not begin a group of its own beside one that only does not answer. @throws DeliverError E_NOT_READY */
async function refuseSecondGroup(all: readonly Member[]): Promise<void> {
  const having: string[] = [];
  for (const member of all) if ((await filesOf(member)).data) having.push(member.node.name);
  if (having.length === 0) return;
  throw new DeliverError('E_NOT_READY', {
    what: 'etcd does not answer.',
    why: `${having.join(', ')} ${having.length === 1 ? 'has' : 'have'} its data, and not enough of its members are healthy.`,
    fix: 'Look there with: journalctl -u etcd; when enough of them answer again, run the same command again.',
    state: 'No member was added, and nothing of Kubernetes was changed.',
  });
}

/** Deletes the objects of a cluster that was begun and never finished. */
async function emptyKubernetes({ node, connection }: Member): Promise<void> {
  await onHost(connection, etcdctl(node, 'del /registry --prefix'), { what: 'emptying etcd' });
}
