import { z } from 'zod';
import type { HostConnection } from '../../ssh/port.ts';
import { countText } from '../../core/amounts.ts';
import { DeliverError } from '../../core/errors.ts';
import { kubectl, kubectlLine, tryOnHost } from './host.ts';
import { hostPort } from '../balancer/endpoint.ts';
import type { KubernetesNode } from './settings.ts';

/** Ids as text: see parseMembers. */
const Members = z.object({
  members: z.array(
    z.object({
      ID: z.string(),
      name: z.string().optional(),
      peerURLs: z.array(z.string()),
      clientURLs: z.array(z.string()).optional(),
      isLearner: z.boolean().optional(),
    }),
  ),
});
const Healths = z.array(z.object({ endpoint: z.string(), health: z.boolean() }));

export interface EtcdMember {
  /** As etcdctl wants it: hexadecimal. */
  readonly id: string;
  /** Empty while it has never started. */
  readonly name: string;
  readonly peer: string;
  /** Where it serves clients; empty while it has never started. */
  readonly client: string;
  readonly learner: boolean;
}

const PKI = '/etc/kubernetes/pki/etcd';
const ACCESS = `--endpoints=https://127.0.0.1:2379 --cacert=${PKI}/ca.crt --cert=${PKI}/server.crt --key=${PKI}/server.key`;

/** Arguments that run etcdctl in the stacked etcd of a control plane. */
function etcdctl({ name }: Pick<KubernetesNode, 'name'>, args: string): string {
  return `-n kube-system exec etcd-${name} -- etcdctl ${ACCESS} ${args}`;
}

/** Members of the stacked etcd. */
export async function stackedMembers(
  control: HostConnection,
  node: Pick<KubernetesNode, 'name'>,
  signal?: AbortSignal,
): Promise<EtcdMember[]> {
  const work = { what: 'listing the members of etcd', ...(signal === undefined ? {} : { signal }) };
  return parseMembers(await kubectl(control, etcdctl(node, 'member list -w json'), work));
}

/** `etcdctl member list -w json`; its ids are 64 bits, more than a JavaScript number holds. */
export function parseMembers(text: string): EtcdMember[] {
  const exact = text.replace(/"ID":\s*(\d+)/g, '"ID":"$1"');
  return Members.parse(JSON.parse(exact)).members.map(({ ID, name = '', peerURLs, clientURLs = [], isLearner = false }) => ({
    id: BigInt(ID).toString(16),
    name,
    peer: peerURLs[0] ?? '',
    client: clientURLs[0] ?? '',
    learner: isLearner,
  }));
}

/** `etcdctl endpoint health --cluster -w json`: the client addresses that answer. Nothing where it can’t be read. */
export function parseHealth(text: string): Set<string> {
  const line = text.split('\n').find((each) => each.startsWith('[')) ?? '[]';
  return new Set(
    Healths.parse(JSON.parse(line))
      .filter(({ health }) => health)
      .map(({ endpoint }) => endpoint),
  );
}

/**
 * Refuses, by number, to take a member out that the others can’t do without.
 * @param healthy client addresses that answer
 * @throws DeliverError E_PREFLIGHT
 */
export function refuseQuorumLoss(gone: EtcdMember, members: readonly EtcdMember[], healthy: ReadonlySet<string>): void {
  const voters = members.filter(({ learner }) => !learner);
  const rest = voters.filter(({ id }) => id !== gone.id);
  if (gone.learner) return;
  const alive = rest.filter(({ client }) => healthy.has(client)).length;
  const needed = Math.floor(rest.length / 2) + 1;
  if (alive >= needed) return;
  const answering = voters.filter(({ client }) => healthy.has(client)).length;
  const down = rest.filter(({ client }) => !healthy.has(client)).map(({ name, peer }) => (name === '' ? peer : name));
  const name = gone.name === '' ? gone.peer : gone.name;
  throw new DeliverError('E_PREFLIGHT', {
    what: `etcd can’t do without ${name}.`,
    why: `It has ${countText(voters.length, 'member')}, and ${String(answering)} of them answer${answering === 1 ? 's' : ''}. Without ${name} ${String(rest.length)} would be left; ${String(needed)} of those must answer, and ${String(alive)} would.`,
    fix:
      rest.length === 0
        ? 'Add another host to the site file in its place and install; then remove this one.'
        : `Bring ${down.join(', ')} back first; then run the same command again.`,
    state: `${name} is a member of etcd as before.`,
  });
}

/**
 * The order in which several members leave: those that do not answer first, which costs the others nothing. All of it is
 * judged before the first one goes.
 * @throws DeliverError E_PREFLIGHT as above
 */
export function leavingOrder(
  leaving: readonly EtcdMember[],
  members: readonly EtcdMember[],
  healthy: ReadonlySet<string>,
): EtcdMember[] {
  const order = leaving.toSorted((a, b) => Number(healthy.has(a.client)) - Number(healthy.has(b.client)));
  let left = members;
  for (const gone of order) {
    refuseQuorumLoss(gone, left, healthy);
    left = left.filter(({ id }) => id !== gone.id);
  }
  return order;
}

/** The same for the stacked etcd; nothing when that host is no member. @throws DeliverError E_PREFLIGHT */
export async function refuseStackedLoss(
  control: HostConnection,
  at: Pick<KubernetesNode, 'name'>,
  host: Pick<KubernetesNode, 'name' | 'address'>,
  signal: AbortSignal,
): Promise<void> {
  const members = await stackedMembers(control, at, signal);
  const gone = members.find((member) => isOf(member, host));
  if (gone === undefined) return;
  const line = kubectlLine(etcdctl(at, '--command-timeout=5s endpoint health --cluster -w json'));
  // It fails when one of them does not answer, and says which.
  const ran = await tryOnHost(control, line, { what: 'asking etcd for its health', signal });
  refuseQuorumLoss(gone, members, parseHealth(ran.stdout));
}

function isOf(member: EtcdMember, { name, address }: Pick<KubernetesNode, 'name' | 'address'>): boolean {
  return member.name === name || member.peer === `https://${hostPort(address, 2380)}`;
}

/** Takes a host that is gone, or begins again, out of the stacked etcd; nothing when it is no member. */
export async function dropEtcdMember(
  control: HostConnection,
  at: Pick<KubernetesNode, 'name'>,
  host: Pick<KubernetesNode, 'name' | 'address'>,
  signal?: AbortSignal,
): Promise<void> {
  const { name } = host;
  const members = await stackedMembers(control, at, signal);
  const gone = members.find((member) => isOf(member, host));
  if (gone === undefined || at.name === name) return;
  await kubectl(control, etcdctl(at, `member remove ${gone.id}`), {
    what: `taking ${name} out of etcd`,
    ...(signal === undefined ? {} : { signal }),
  });
}
