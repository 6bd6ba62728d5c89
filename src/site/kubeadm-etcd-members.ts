import { z } from 'zod';
import type { HostConnection } from '../ssh/port.ts';
import { kubectl } from './kubeadm-host.ts';
import { hostPort } from './lb-endpoint.ts';
import type { KubernetesNode } from './kubeadm-settings.ts';

/** Ids as text: see parseMembers. */
const Members = z.object({
  members: z.array(
    z.object({ ID: z.string(), name: z.string().optional(), peerURLs: z.array(z.string()), isLearner: z.boolean().optional() }),
  ),
});

export interface EtcdMember {
  /** As etcdctl wants it: hexadecimal. */
  readonly id: string;
  /** Empty while it has never started. */
  readonly name: string;
  readonly peer: string;
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
  return Members.parse(JSON.parse(exact)).members.map(({ ID, name = '', peerURLs, isLearner = false }) => ({
    id: BigInt(ID).toString(16),
    name,
    peer: peerURLs[0] ?? '',
    learner: isLearner,
  }));
}

/** Takes a host that is gone, or begins again, out of the stacked etcd; nothing when it is no member. */
export async function dropEtcdMember(
  control: HostConnection,
  at: Pick<KubernetesNode, 'name'>,
  { name, address }: Pick<KubernetesNode, 'name' | 'address'>,
  signal?: AbortSignal,
): Promise<void> {
  const members = await stackedMembers(control, at, signal);
  const gone = members.find((member) => member.name === name || member.peer === `https://${hostPort(address, 2380)}`);
  if (gone === undefined || at.name === name) return;
  await kubectl(control, etcdctl(at, `member remove ${gone.id}`), {
    what: `taking ${name} out of etcd`,
    ...(signal === undefined ? {} : { signal }),
  });
}
