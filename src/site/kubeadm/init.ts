import { DeliverError, isDeliverError } from '../../core/errors.ts';
import type { HostConnection } from '../../ssh/port.ts';
import { initDocuments, OWN_TRACES, type ClusterLimits } from './config.ts';
import { prepareNode } from './endpoint.ts';
import { kubeadm } from './host.ts';
import { newToken, TOKEN_TTL } from './secrets.ts';
import { firstState } from './state.ts';
import { wipeHost } from './wipe.ts';
import { connect, type KubernetesWorld, type ProbedNode } from './world.ts';

/** kubeadm itself gives a control plane four minutes, and its kubelet four before that. */
const INIT_TIMEOUT = 15 * 60_000;

/**
 * Makes the first control plane, or goes on with one that an earlier run began: kubeadm’s phases may be repeated, and where
 * that fails, what deliver itself began is taken away and begun again. Somebody else’s traces are refused.
 * @param preparedEtcd for an etcd of its own: hands the control plane its keys, and empties what a half-made cluster left there
 * @returns true when something was made
 */
export async function makeFirst(
  world: KubernetesWorld,
  first: ProbedNode,
  limits: ClusterLimits,
  preparedEtcd?: PreparedEtcd,
): Promise<boolean> {
  const state = firstState(first.facts);
  if (state === 'member') return false;
  const { node } = first;
  if (state === 'foreign') throw foreign(node.name);
  const connection = await connect(world, node);
  const begin = async (ignore: readonly string[]): Promise<void> => {
    await prepareNode(world, connection, node, first.facts, { control: node.address, serves: true, initialising: true });
    await preparedEtcd?.handOver(connection);
    await init(world, connection, first, limits, ignore);
  };
  if (state === 'join') await begin([]);
  else {
    world.report.note(`${node.name}: an earlier run began to make the control plane; going on.`);
    try {
      if (state === 'again') throw new DeliverError('E_HOST', { what: 'It was to join another control plane.' });
      await begin(OWN_TRACES);
    } catch (error) {
      if (world.signal.aborted || !isDeliverError(error, 'E_HOST')) throw error;
      world.report.note(`${node.name}: going on failed (${error.facts.why ?? error.facts.what}); beginning again.`);
      // An etcd of its own may have a member on this very host.
      await wipeHost(connection, { etcdData: world.settings.etcd.length === 0, signal: world.signal });
      await preparedEtcd?.empty();
      await begin([]);
    }
  }
  // super-admin.conf was for the beginning only (kube-vip).
  await prepareNode(world, connection, node, first.facts, { control: node.address, serves: true });
  return true;
}

export interface PreparedEtcd {
  /** Puts the client’s keys on a control plane. */
  handOver(control: HostConnection): Promise<void>;
  /** Deletes what a cluster that was never finished left in it. */
  empty(): Promise<void>;
}

async function init(
  { settings, signal }: KubernetesWorld,
  connection: HostConnection,
  { node }: ProbedNode,
  limits: ClusterLimits,
  ignore: readonly string[],
): Promise<void> {
  const token = newToken();
  await kubeadm(connection, {
    args: 'init --skip-token-print --skip-certificate-key-print',
    config: initDocuments(settings, node, { token: { token: token.reveal(), ttl: TOKEN_TTL }, limits, ignore }),
    mark: { op: 'init', kubernetes: settings.version },
    timeout: INIT_TIMEOUT,
    signal,
  });
}

function foreign(name: string): DeliverError {
  return new DeliverError('E_PREFLIGHT', {
    what: `${name} has traces of a Kubernetes that deliver did not begin, and whose API does not answer.`,
    why: 'There are files in /etc/kubernetes, and they may be somebody’s cluster.',
    fix: `If it is to be kept, start it again. If not: deliver reset --site SITE ${name}, then run the same command again.`,
    state: 'Nothing was changed there.',
  });
}
