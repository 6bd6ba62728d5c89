import { inParallel } from '../../core/in-parallel.ts';
import { DeliverError, isDeliverError } from '../../core/errors.ts';
import type { Secret } from '../../core/secret.ts';
import type { HostConnection } from '../../ssh/port.ts';
import { joinDocument, uploadDocument, type Discovery } from './config.ts';
import { balanceNode, prepareNode } from './endpoint.ts';
import { dropEtcdMember } from './etcd-members.ts';
import { kubeadm, kubectl, onHost } from './host.ts';
import type { ClusterNode } from './nodes.ts';
import { caHashOf, forgetSecrets, newCertificateKey, newToken, publishToken } from './secrets.ts';
import type { KubernetesNode } from './settings.ts';
import { joinState, type NodeState } from './state.ts';
import { wipeHost } from './wipe.ts';
import { connect, HOSTS_AT_ONCE, type KubernetesWorld, type ProbedNode } from './world.ts';
import { API_PORT, hostPort } from '../balancer/endpoint.ts';

const JOIN_TIMEOUT = 12 * 60_000;
const UPLOAD_TIMEOUT = 60_000;

/** A control plane whose API answers, as the others are reached through. */
export interface Control {
  readonly node: KubernetesNode;
  readonly connection: HostConnection;
}

export interface Joined {
  readonly joined: readonly string[];
  /** Hosts that could not be joined, each with why; the others were. */
  readonly failed: ReadonlyMap<string, DeliverError>;
}

/** What is to be done with every host but the first. */
export function joinStates(
  probed: readonly ProbedNode[],
  nodes: readonly ClusterNode[],
): { readonly probed: ProbedNode; readonly state: NodeState }[] {
  return probed.map((each) => {
    const known = nodes.find(({ name }) => name === each.node.name);
    const cluster = { node: known !== undefined, controlPlane: known?.controlPlane === true };
    return { probed: each, state: joinState(each.facts, each.node, cluster) };
  });
}

/** Joins what has not joined yet: control planes one at a time, then workers side by side. No token outlives it. */
export async function joinNodes(
  world: KubernetesWorld,
  control: Control,
  probed: readonly ProbedNode[],
  nodes: readonly ClusterNode[],
): Promise<Joined> {
  const open = joinStates(probed, nodes).filter(
    ({ state, probed: { node } }) => state !== 'member' && node.name !== control.node.name,
  );
  const failed = new Map<string, DeliverError>();
  const joined: string[] = [];
  const wanted = open.filter(({ state, probed: { node } }) => {
    if (state === 'foreign') failed.set(node.name, foreign(node.name));
    return state !== 'foreign';
  });
  if (wanted.length === 0) return { joined, failed };
  const token = newToken();
  try {
    await publishToken(control.connection, token, new Date());
    const ca = await onHost(control.connection, 'cat /etc/kubernetes/pki/ca.crt', { what: 'reading the cluster’s CA' });
    const server = hostPort(control.node.address, API_PORT);
    const discovery = { token: token.reveal(), server, caHash: caHashOf(ca) };
    const attempt = async ({ probed: { node, facts }, state }: (typeof wanted)[number], key?: Secret): Promise<void> => {
      try {
        const known = nodes.some(({ name }) => name === node.name);
        await join(world, control, { node, facts }, { state, known }, discovery, key);
        joined.push(node.name);
        world.report.progress({ done: joined.length, total: wanted.length, unit: 'items', detail: `${node.name} joined` });
      } catch (error) {
        if (world.signal.aborted || !isDeliverError(error)) throw error;
        failed.set(node.name, error);
      }
    };
    const controlPlanes = wanted.filter(({ probed: { node } }) => node.controlPlane);
    if (controlPlanes.length > 0) {
      const key = newCertificateKey();
      await uploadKeys(world, control, key);
      // One at a time: each becomes a member of etcd, which must agree about it.
      for (const each of controlPlanes) await attempt(each, key);
    }
    const workers = wanted.filter(({ probed: { node } }) => !node.controlPlane);
    await inParallel(workers, HOSTS_AT_ONCE, world.signal, (each) => attempt(each));
  } finally {
    await forgetSecrets(control.connection);
  }
  return { joined, failed };
}

async function join(
  world: KubernetesWorld,
  control: Control,
  { node, facts }: ProbedNode,
  { state, known }: { readonly state: NodeState; readonly known: boolean },
  discovery: Discovery,
  key: Secret | undefined,
): Promise<void> {
  const connection = await connect(world, node);
  const { settings, signal } = world;
  if (state !== 'join') {
    world.report.note(`${node.name}: an earlier run began to join it; beginning again.`);
    await wipeHost(connection, { etcdData: settings.etcd.length === 0 && node.controlPlane, signal });
  }
  // Also a bare host may be one that was a member and was set up anew: an etcd of that name without its data must not come back.
  if (node.controlPlane && settings.etcd.length === 0) await dropEtcdMember(control.connection, control.node, node, signal);
  if (state !== 'join' || known) await kubectl(control.connection, `delete node --ignore-not-found ${node.name}`, { signal });
  await prepareNode(world, connection, node, facts, { control: control.node.address, serves: false });
  await kubeadm(connection, {
    args: 'join',
    config: joinDocument(settings, node, discovery, key?.reveal()),
    mark: { op: 'join', kubernetes: settings.version },
    timeout: JOIN_TIMEOUT,
    signal,
  });
  await balanceNode(world, connection, node, { control: control.node.address, serves: node.controlPlane });
}

/** Puts the control plane’s keys into the cluster, encrypted, for the joins that follow. */
async function uploadKeys({ settings, signal }: KubernetesWorld, { connection, node }: Control, key: Secret): Promise<void> {
  await kubeadm(connection, {
    args: 'init phase upload-certs --upload-certs --skip-certificate-key-print',
    config: uploadDocument(settings, node, key.reveal()),
    timeout: UPLOAD_TIMEOUT,
    signal,
  });
}

function foreign(name: string): DeliverError {
  return new DeliverError('E_PREFLIGHT', {
    what: `${name} has traces of another cluster, which deliver did not begin.`,
    why: 'There are files in /etc/kubernetes, and this cluster knows no such node.',
    fix: `If nothing there is needed: deliver reset --site SITE ${name}, then run the same command again.`,
    state: 'Nothing was changed there.',
  });
}
