import { DeliverError, messageOf } from '../../core/errors.ts';
import type { HostConnection } from '../../ssh/port.ts';
import { dropMember, filesOf, peerOf, standingOf, type Member, type Standing } from './ctl.ts';
import { ETCD_DATA, ETCD_PKI, ETCD_UNIT } from './files.ts';
import { leavingOrder, refuseQuorumLoss, type EtcdMember } from '../kubeadm/etcd-members.ts';
import { locked, onHost } from '../kubeadm/host.ts';
import type { KubernetesNode, KubernetesSettings } from '../kubeadm/settings.ts';
import type { KubernetesWorld } from '../kubeadm/world.ts';

/**
 * Members of an etcd of its own that the site file no longer names: those in `drain:` leave it, the others are told.
 * @throws DeliverError E_PREFLIGHT when the others can’t do without it, or when it alone has the key of etcd’s CA
 */
export async function removeMembers(world: KubernetesWorld, members: readonly Member[]): Promise<number> {
  const { settings, report, signal } = world;
  const wanted = new Set(settings.etcd.map(peerOf));
  let removed = 0;
  for (;;) {
    const standing = await standingOf(members);
    const gone = standing?.members.filter(({ peer }) => !wanted.has(peer)) ?? [];
    const leaving = gone.filter(({ name }) => settings.drain.includes(name));
    const [next] = standing === undefined ? [] : leavingOrder(leaving, standing.members, standing.healthy);
    if (standing === undefined || next === undefined) {
      for (const { name, peer } of gone)
        report.note(`! ${name === '' ? peer : name} is a member of etcd and not in the site file.`);
      return removed;
    }
    const host = settings.leaving.find(({ name }) => name === next.name);
    const connection = host === undefined ? undefined : await reached(world, host);
    if (connection !== undefined && host !== undefined) await refuseCaHolder({ node: host, connection });
    await removeMember(standing, next, signal);
    if (connection !== undefined) await wipeEtcd(connection);
    report.note(`${next.name} is no longer a member of etcd; API servers go on asking the others.`);
    removed++;
  }
}

/** What an install would do to the members of an etcd that answers. */
export interface EtcdPlan {
  readonly joining: readonly string[];
  readonly leaving: readonly string[];
}

/**
 * Who would join an etcd of its own, and who would leave it; nobody while it does not answer. Changes nothing.
 * @throws DeliverError E_PREFLIGHT when the others can’t do without one that is to leave
 */
export async function planMembers(
  { etcd, drain }: Pick<KubernetesSettings, 'etcd' | 'drain'>,
  members: readonly Member[],
): Promise<EtcdPlan> {
  const standing = await standingOf(members);
  if (standing === undefined) return { joining: [], leaving: [] };
  const { members: known, healthy } = standing;
  const joining: string[] = [];
  for (const member of members) {
    const found = known.find(({ peer }) => peer === peerOf(member.node));
    const there = found !== undefined && !found.learner && (healthy.has(found.client) || (await filesOf(member)).data);
    if (!there) joining.push(member.node.name);
  }
  const wanted = new Set(etcd.map(peerOf));
  const gone = known.filter(({ name, peer }) => !wanted.has(peer) && drain.includes(name));
  return { joining, leaving: leavingOrder(gone, known, healthy).map(({ name }) => name) };
}

/**
 * Takes a host of an etcd of its own out of it, before it is wiped. Nothing is removed when no other member answers.
 * @throws DeliverError E_PREFLIGHT as above
 */
export async function leaveEtcd(host: Member, others: readonly Member[], signal: AbortSignal): Promise<boolean> {
  const standing = await standingOf(others);
  const own = standing?.members.find(({ peer }) => peer === peerOf(host.node));
  if (standing === undefined || own === undefined) {
    // The others may only be down: with the key they could be mended, and never be renewed without it.
    for (const other of others) if ((await filesOf(other)).data) await refuseCaHolder(host);
    return false;
  }
  await refuseCaHolder(host);
  await removeMember(standing, own, signal);
  return true;
}

/** @throws DeliverError E_PREFLIGHT */
export async function removeMember({ via, members, healthy }: Standing, gone: EtcdMember, signal: AbortSignal): Promise<void> {
  refuseQuorumLoss(gone, members, healthy);
  await dropMember(via, gone, signal);
}

/** Stops etcd on a host and deletes its data and keys; the program stays. */
export async function wipeEtcd(connection: HostConnection): Promise<void> {
  const script = locked(
    `systemctl disable -q --now etcd 2>/dev/null; set -e; rm -rf ${ETCD_DATA} ${ETCD_PKI} ${ETCD_UNIT}; systemctl daemon-reload`,
  );
  await onHost(connection, script, { what: 'taking etcd off', timeout: 700_000 });
}

async function refuseCaHolder(member: Member): Promise<void> {
  if (!(await filesOf(member)).caKey) return;
  const { name } = member.node;
  throw new DeliverError('E_PREFLIGHT', {
    what: `${name} has the key of etcd’s CA, and would take it along.`,
    why: 'Without it no member can be added, and no certificate renewed.',
    fix: `Move ${ETCD_PKI}/ca.key from ${name} to the same place on another member (mode 600), then run the same command again.`,
    state: `${name} is a member of etcd as before.`,
  });
}

async function reached({ hosts, report, signal }: KubernetesWorld, host: KubernetesNode): Promise<HostConnection | undefined> {
  try {
    return await hosts.connect(host.name, signal);
  } catch (error) {
    if (signal.aborted || !(error instanceof DeliverError)) throw error;
    report.note(`! ${host.name} can’t be reached, and keeps its etcd: ${messageOf(error)}`);
    return undefined;
  }
}
