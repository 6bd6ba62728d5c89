import type { HostConnection } from '../../ssh/port.ts';
import { shellQuote } from '../../ssh/shell-quote.ts';
import { locked, onHost, tryOnHost } from './host.ts';
import { KUBELET_CONF, KUBELET_PATCH } from './paths.ts';
import { kubeletPatch } from './config.ts';
import type { NodeFacts } from './probe.ts';
import type { KubernetesNode } from './settings.ts';
import type { KubernetesWorld } from './world.ts';
import { API_PORT, endpointAddress, hasOwnProxy, type Endpoint } from '../balancer/endpoint.ts';
import { HAPROXY_CONFIG, HAPROXY_MANIFEST, haproxyConfig, haproxyPod } from '../balancer/haproxy.ts';
import { KUBE_VIP_MANIFEST, kubeVipPod } from '../balancer/kube-vip.ts';
import { DeliverError } from '../../core/errors.ts';
import { noAddress, noImage } from '../balancer/images.ts';

const BEGIN = '# deliver: control plane endpoint';
const END = '# deliver: end of control plane endpoint';
const PROXY_SECONDS = 60;

interface EndpointState {
  /** Address of a control plane whose API server answers. */
  readonly control: string;
  /** This host’s own API server answers, or is about to be made (init). */
  readonly serves: boolean;
  /** What its manifest must say while the first control plane is being made. */
  readonly initialising?: boolean;
}

/**
 * What a node needs before kubeadm runs there: its kubelet patch, and the endpoint’s name in /etc/hosts.
 * @returns how many files changed
 */
export async function prepareNode(
  world: KubernetesWorld,
  connection: HostConnection,
  node: KubernetesNode,
  facts: NodeFacts,
  state: EndpointState,
): Promise<number> {
  const { settings } = world;
  const files: PlacedFile[] = [{ path: KUBELET_PATCH, content: kubeletPatch(settings.version, facts) }];
  if (settings.endpoint?.by === 'kube-vip' && node.controlPlane) files.push(vipFile(world, facts, state.initialising === true));
  // There before the kubelet starts: of a folder that is made later it learns at its next look, 20 s on.
  if (!state.serves && hasOwnProxy(settings.endpoint, node.controlPlane)) files.push(...proxyFiles(world));
  const changed = await placeFiles(connection, files);
  return changed + (await nameEndpoint(world, connection, node, state));
}

/**
 * The node’s own haproxy, where it has one, and the endpoint’s name pointing at it once it answers. Safe at any time: until
 * then the name means a control plane that answers.
 */
export async function balanceNode(
  world: KubernetesWorld,
  connection: HostConnection,
  node: KubernetesNode,
  state: EndpointState,
): Promise<number> {
  const { endpoint } = world.settings;
  if (endpoint === undefined || !hasOwnProxy(endpoint, node.controlPlane)) return nameEndpoint(world, connection, node, state);
  const changed = await placeFiles(connection, proxyFiles(world));
  await proxyAnswers(connection, endpoint, world.signal);
  return changed + (await nameEndpoint(world, connection, node, { ...state, proxy: true }));
}

function proxyFiles({ settings: { controlPlanes, endpoint }, images: { haproxy } }: KubernetesWorld): PlacedFile[] {
  if (haproxy === undefined) throw noImage('haproxy');
  const config = haproxyConfig(controlPlanes, endpoint?.port ?? API_PORT);
  return [
    { path: HAPROXY_CONFIG, content: config, mode: '644' },
    { path: HAPROXY_MANIFEST, content: haproxyPod(haproxy, config) },
  ];
}

async function nameEndpoint(
  { settings: { endpoint }, signal }: KubernetesWorld,
  connection: HostConnection,
  { address: own }: KubernetesNode,
  { control, serves, proxy = false }: EndpointState & { readonly proxy?: boolean },
): Promise<number> {
  if (endpoint === undefined) return 0;
  // A balancer of its own that already answers stays the name’s meaning while other things are prepared.
  const address = endpointAddress(endpoint, { own, serves, proxy, control });
  if (address === undefined) return 0;
  const printed = await onHost(connection, nameScript(endpoint.domain, address), { what: `naming ${endpoint.domain}`, signal });
  return Number(printed.trim() === 'changed');
}

/** Puts our lines first in /etc/hosts, where they win over any other line with that name. */
function nameScript(domain: string, address: string): string {
  const block = [BEGIN, `${address} ${domain}`, END].join('\n');
  return locked(`
new=$(printf '%s\n' ${shellQuote(block)}; sed '/^${BEGIN}$/,/^${END}$/d' /etc/hosts; echo .)
old=$(cat /etc/hosts; echo .)
[ "$new" = "$old" ] && exit 0
set -e
printf '%s' "\${new%.}" >/etc/.hosts.deliver; chmod 644 /etc/.hosts.deliver; mv /etc/.hosts.deliver /etc/hosts; echo changed`);
}

/** Shell lines that take our lines out of /etc/hosts again. */
export const FORGET_ENDPOINT = `if grep -q '^${BEGIN}$' /etc/hosts; then sed '/^${BEGIN}$/,/^${END}$/d' /etc/hosts >/etc/.hosts.deliver; chmod 644 /etc/.hosts.deliver; mv /etc/.hosts.deliver /etc/hosts; fi`;

async function proxyAnswers(connection: HostConnection, { domain, port }: Endpoint, signal: AbortSignal): Promise<void> {
  // No curl on such hosts: kubectl asks as the kubelet, by the name that the API server’s certificate has.
  const ask = `kubectl --kubeconfig ${KUBELET_CONF} -s https://127.0.0.1:${String(port)} --tls-server-name=${domain} --request-timeout=3s get --raw /readyz 2>&1`;
  const script = `i=0; while [ $i -lt ${String(PROXY_SECONDS)} ]; do a=$(${ask}) && [ "$a" = ok ] && exit 0; i=$((i+1)); sleep 1; done; echo "$a" >&2; exit 1`;
  const ran = await tryOnHost(connection, script, { what: 'haproxy', timeout: PROXY_SECONDS * 5000, signal });
  if (ran.code === 0) return;
  const { name } = connection.host;
  throw new DeliverError('E_NOT_READY', {
    what: `haproxy on ${name} does not answer on 127.0.0.1:${String(port)}.`,
    why: ran.stderr.trim().split('\n').at(-1) ?? '',
    fix: `Look there with: crictl ps -a --name haproxy`,
    state: `Until it answers, ${name} reaches the API at one control plane only.`,
  });
}

export interface PlacedFile {
  readonly path: string;
  readonly content: string;
  /** Octal; 600 when absent. */
  readonly mode?: string;
}

/** Writes those that differ, each in one move; how many did. The content goes through standard input. */
export async function placeFiles(connection: HostConnection, files: readonly PlacedFile[]): Promise<number> {
  let changed = 0;
  for (const { path, content, mode = '600' } of files) {
    const folder = path.slice(0, path.lastIndexOf('/'));
    // Beside the folder, not in it: the kubelet reads every file of its manifests folder.
    const part = `${folder}.part-${path.slice(path.lastIndexOf('/') + 1)}`;
    const script = `set -e; mkdir -p ${folder}; chmod 755 ${folder}; cat >${part}; chmod ${mode} ${part}
if cmp -s ${part} ${path} && [ "$(stat -c %a ${path})" = ${mode} ]; then rm ${part}; else mv ${part} ${path}; echo changed; fi`;
    const printed = await onHost(connection, script, { what: `writing ${path}`, stdin: content });
    changed += Number(printed.trim() === 'changed');
  }
  return changed;
}

function vipFile({ settings: { endpoint }, images }: KubernetesWorld, facts: NodeFacts, initialising: boolean): PlacedFile {
  if (images.kubeVip === undefined) throw noImage('kube-vip');
  const address = endpoint?.address;
  if (endpoint === undefined || address === undefined) throw noAddress();
  const content = kubeVipPod({ image: images.kubeVip, address, port: endpoint.port, interface: facts.interface, initialising });
  return { path: KUBE_VIP_MANIFEST, content };
}
