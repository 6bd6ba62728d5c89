import { DeliverError } from '../../core/errors.ts';
import type { HostConnection } from '../../ssh/port.ts';
import { ETCD_DATA, ETCD_PKI, ETCD_UNIT } from './files.ts';
import type { EtcdPeer } from './unit.ts';
import { parseHealth, parseMembers, type EtcdMember } from '../kubeadm/etcd-members.ts';
import { onHost, tryOnHost } from '../kubeadm/host.ts';
import type { KubernetesNode } from '../kubeadm/settings.ts';
import { hostPort } from '../balancer/endpoint.ts';

/** An etcd on hosts of its own, asked on its hosts. */

const HEALTH_SECONDS = 90;
export const HEALTH_TIMEOUT = (HEALTH_SECONDS + 30) * 1000;
const ACCESS = `--cacert=${ETCD_PKI}/ca.crt --cert=${ETCD_PKI}/healthcheck-client.crt --key=${ETCD_PKI}/healthcheck-client.key`;

/** One host of it. */
export interface Member {
  readonly node: KubernetesNode;
  readonly connection: HostConnection;
}

/** What a host of it has on its disk. */
export interface MemberFiles {
  /** It began once, and has what it needs to go on. */
  readonly data: boolean;
  readonly ca: boolean;
  readonly caKey: boolean;
}

export function peerOf({ address }: Pick<KubernetesNode, 'address'>): string {
  return `https://${hostPort(address, 2380)}`;
}

/**
 * Everybody whom a newcomer is told of. etcd compares it with the members that it finds, and refuses to start where one is
 * missing: those that are still to leave (`drain:`), or that no site file names, are among them.
 */
export function initialPeers(node: KubernetesNode, members: readonly EtcdMember[]): EtcdPeer[] {
  const own = { name: node.name, peer: peerOf(node) };
  const others = members.filter(({ peer }) => peer !== own.peer);
  // What has never started has no name yet; only the addresses count.
  return [own, ...others.map(({ id, name, peer }) => ({ name: name === '' || name === own.name ? `member-${id}` : name, peer }))];
}

export function etcdctl({ address }: KubernetesNode, args: string): string {
  return `etcdctl --endpoints=https://${hostPort(address, 2379)} ${ACCESS} --command-timeout=10s ${args}`;
}

/** A shell line that tries again until it works, or the time is over; then what was said last. */
export function untilDone(command: string): string {
  return `e=$(($(date +%s)+${String(HEALTH_SECONDS)})); while :; do a=$(${command} 2>&1) && exit 0; [ $(date +%s) -lt $e ] || break; sleep 1; done; printf '%s\\n' "$a" | tail -n 3 >&2; exit 1`;
}

/**
 * Announces a host as a member without a vote. etcd refuses that while a member that votes is connected for less than five
 * seconds, as one that just joined is: it is asked again.
 */
export async function addMember({ node: at, connection }: Member, node: KubernetesNode, signal: AbortSignal): Promise<void> {
  const peer = peerOf(node);
  const add = etcdctl(at, `member add ${node.name} --learner --peer-urls=${peer}`);
  const work = { what: `announcing ${node.name} to etcd`, timeout: HEALTH_TIMEOUT, signal };
  await onHost(connection, untilDone(`{ ${add} || ${etcdctl(at, 'member list')} | grep -qF ' ${peer},'; }`), work);
}

/** Takes a member out; asked again for the same reason. */
export async function dropMember({ node: at, connection }: Member, { id, name }: EtcdMember, signal: AbortSignal): Promise<void> {
  const gone = `{ l=$(${etcdctl(at, 'member list')}) && ! printf '%s\\n' "$l" | grep -q '^${id},'; }`;
  const work = { what: `taking ${name === '' ? id : name} out of etcd`, timeout: HEALTH_TIMEOUT, signal };
  await onHost(connection, untilDone(`{ ${etcdctl(at, `member remove ${id}`)} || ${gone}; }`), work);
}

export async function filesOf({ connection }: Member): Promise<MemberFiles> {
  const script = `[ ! -s ${ETCD_PKI}/ca.crt ] || echo ca; [ ! -s ${ETCD_PKI}/ca.key ] || echo key; [ -z "$(ls -A ${ETCD_DATA}/member 2>/dev/null)" ] || [ ! -e ${ETCD_UNIT} ] || echo data`;
  const found = (await onHost(connection, script, { what: 'looking for etcd' })).split('\n');
  return { data: found.includes('data'), ca: found.includes('ca'), caKey: found.includes('key') };
}

export async function isHealthy({ node, connection }: Member): Promise<boolean> {
  const script = `systemctl is-active -q etcd && ${etcdctl(node, 'endpoint health')}`;
  return (await tryOnHost(connection, script, { what: 'etcd’s health' })).code === 0;
}

/** @throws DeliverError E_NOT_READY */
export async function waitHealthy({ node, connection }: Member, signal: AbortSignal): Promise<void> {
  const work = { what: 'etcd', timeout: HEALTH_TIMEOUT, signal };
  const ran = await tryOnHost(connection, untilDone(etcdctl(node, 'endpoint health')), work);
  if (ran.code === 0) return;
  throw new DeliverError('E_NOT_READY', {
    what: `etcd on ${node.name} does not become healthy.`,
    why: ran.stderr.trim().split('\n').at(-1) ?? '',
    fix: `Look there with: journalctl -u etcd; then run the same command again.`,
    state: 'The members before it work; no control plane was changed.',
  });
}

/** A group that answers: who was asked, who belongs to it, and the client addresses that answer. */
export interface Standing {
  readonly via: Member;
  readonly members: readonly EtcdMember[];
  readonly healthy: ReadonlySet<string>;
}

/** The members of a group that is there, asked of any that answers; undefined when nobody does. */
export async function standingOf(members: readonly Member[]): Promise<Standing | undefined> {
  for (const via of members) {
    if (!(await isHealthy(via))) continue;
    const { node, connection } = via;
    const text = await onHost(connection, etcdctl(node, 'member list -w json'), { what: 'listing the members of etcd' });
    // It fails when one of them does not answer, and says which.
    const health = await tryOnHost(connection, etcdctl(node, 'endpoint health --cluster -w json'), { what: 'etcd’s health' });
    return { via, members: parseMembers(text), healthy: parseHealth(health.stdout) };
  }
  return undefined;
}

/** True when the program on disk is not the one that runs: a release brought another version. */
export async function isOutdated({ node, connection }: Member): Promise<boolean> {
  const running = `${etcdctl(node, 'endpoint status -w json')} | sed -n 's/.*"version":"\\([^"]*\\)".*/\\1/p'`;
  const script = `new=$(etcd --version | awk 'NR==1 { print $3 }'); old=$(${running}); [ -n "$new" ] && [ -n "$old" ] && [ "$new" != "$old" ]`;
  return (await tryOnHost(connection, script, { what: 'etcd’s version' })).code === 0;
}
