import { DeliverError } from '../../core/errors.ts';
import { makeFirst, type PreparedEtcd } from './init.ts';
import { onHost, tryOnHost } from './host.ts';
import type { Control } from './join.ts';
import { ADMIN_CONF } from './paths.ts';
import { connect, type KubernetesWorld, type ProbedNode } from './world.ts';
import { API_PORT, hostPort } from '../balancer/endpoint.ts';
import type { KubernetesNode } from './settings.ts';

/** A host that was just switched on needs this long until its API server answers. */
const API_SECONDS = 240;

/**
 * A control plane whose API answers: one that is there, else the first one, made now.
 * @throws DeliverError E_NOT_READY when there is a cluster, and none of its API servers answers; E_HOST, E_PREFLIGHT
 */
export async function controlOf(
  world: KubernetesWorld,
  probed: readonly ProbedNode[],
  etcd?: PreparedEtcd,
): Promise<Control & { readonly made: boolean }> {
  const controlPlanes = probed.filter(({ node }) => node.controlPlane);
  const serving = controlPlanes.find(({ facts }) => facts.ready && facts.marker?.state !== 'begun');
  if (serving !== undefined) return { ...(await controlAt(world, serving.node)), made: false };
  const standing = controlPlanes.find(({ facts }) => facts.marker?.state === 'done' && facts.files.includes('admin.conf'));
  const first = standing ?? controlPlanes.find(({ node }) => node.name === world.settings.controlPlanes[0]?.name);
  if (first === undefined) throw noFirst(world);
  if (standing === undefined) await world.programs.place(first.node.name, ['kubeadm', 'kubelet', 'kubectl'], world.signal);
  const limits = { fixedConntrack: probed.some(({ facts }) => facts.fixedConntrack) };
  const made = standing === undefined && (await makeFirst(world, first, limits, etcd));
  const control = await controlAt(world, first.node);
  await waitApi(control, world.signal);
  return { ...control, made };
}

async function controlAt(world: KubernetesWorld, node: KubernetesNode): Promise<Control> {
  return { node, connection: await connect(world, node) };
}

/** Waits until the API server of a control plane says that it is ready. @throws DeliverError E_NOT_READY */
export async function waitApi({ node, connection }: Control, signal: AbortSignal): Promise<void> {
  const ask = `kubectl --kubeconfig ${ADMIN_CONF} -s https://${hostPort(node.address, API_PORT)} --request-timeout=5s get --raw /readyz 2>&1`;
  const script = `e=$(($(date +%s)+${String(API_SECONDS)})); while :; do a=$(${ask}) && [ "$a" = ok ] && exit 0; [ $(date +%s) -lt $e ] || break; sleep 1; done; echo "$a" >&2; exit 1`;
  const ran = await tryOnHost(connection, script, { what: 'the API server', timeout: (API_SECONDS + 30) * 1000, signal });
  if (ran.code === 0) return;
  throw new DeliverError('E_NOT_READY', {
    what: `The API server of ${node.name} does not answer.`,
    why: ran.stderr.trim().split('\n').at(-1) ?? '',
    fix: `Look there with: crictl ps -a; journalctl -u kubelet; crictl logs <kube-apiserver>`,
  });
}

/** Version that the cluster says it has (kubeadm-config), which an upgrade writes last. */
export async function clusterVersion({ connection }: Control, signal: AbortSignal): Promise<string> {
  const text = await onHost(
    connection,
    `kubectl --kubeconfig ${ADMIN_CONF} -n kube-system get configmap kubeadm-config -o jsonpath='{.data.ClusterConfiguration}' | sed -n 's/^kubernetesVersion: *//p'`,
    { what: 'asking for the version of the cluster', signal },
  );
  const version = text.trim();
  if (/^v\d+\.\d+\.\d+/.test(version)) return version;
  throw new DeliverError('E_PREFLIGHT', {
    what: 'The cluster on these hosts was not made by kubeadm.',
    why: 'kube-system has no ConfigMap kubeadm-config with a kubernetesVersion.',
    fix: 'Use it as it is: give the site file cluster: { from: <control plane> }.',
    state: 'Nothing was changed.',
  });
}

function noFirst({ settings }: KubernetesWorld): DeliverError {
  return new DeliverError('E_HOST', {
    what: `The first control plane, ${settings.controlPlanes[0]?.name ?? '?'}, can’t be reached, and no other one serves an API.`,
    fix: 'Bring that host back, or put another one first in roles.control-plane while there is no cluster yet.',
    state: 'Nothing of Kubernetes was changed.',
  });
}
