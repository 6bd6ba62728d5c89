import { z } from 'zod';
import { DeliverError } from '../../core/errors.ts';
import type { HostConnection } from '../../ssh/port.ts';
import { locked, tryOnHost } from './host.ts';
import { ADMIN_CONF, MARKER } from './paths.ts';
import { API_PORT, hostPort } from '../balancer/endpoint.ts';
import type { KubernetesNode } from './settings.ts';

const Marker = z.looseObject({ op: z.enum(['init', 'join']), state: z.enum(['begun', 'done']), kubernetes: z.string() });
export type Marker = z.infer<typeof Marker>;

/** What of Kubernetes is on a host. */
export interface NodeFacts {
  readonly cgroup: 1 | 2;
  /** The kernel’s table of connections can’t be resized there. */
  readonly fixedConntrack: boolean;
  /** Network interface that holds the node’s address. */
  readonly interface: string;
  /** What deliver began there. */
  readonly marker?: Marker;
  /** Files of kubeadm that are there: `admin.conf`, `kubelet.conf`, `pki/ca.crt`, `manifests/kube-apiserver.yaml`, `etcd`. */
  readonly files: readonly string[];
  /** Its own API server says that it is ready. */
  readonly ready: boolean;
  /** Version of the control plane in the static pods; more than one while an upgrade is half done. */
  readonly manifests: readonly string[];
  /** Versions of the programs on disk. */
  readonly programs: Readonly<Partial<Record<'kubeadm' | 'kubelet' | 'kubectl', string>>>;
  readonly kubeletActive: boolean;
}

const FILES = ['admin.conf', 'kubelet.conf', 'pki/ca.crt', 'manifests/kube-apiserver.yaml'];
const PROBE_TIMEOUT = 60_000;

/** One round trip; waits for a kubeadm that an earlier run left behind. Changes nothing. */
export async function probeNode(connection: HostConnection, node: KubernetesNode, signal?: AbortSignal): Promise<NodeFacts> {
  const ran = await tryOnHost(connection, locked(script(node)), {
    what: 'the look at Kubernetes',
    timeout: PROBE_TIMEOUT + 600_000,
    ...(signal === undefined ? {} : { signal }),
  });
  if (ran.code !== 0 || !ran.stdout.includes('ended=')) {
    throw new DeliverError('E_HOST', {
      what: `What Kubernetes has on ${node.name} can’t be told.`,
      why:
        ran.code === 75
          ? 'A kubeadm that an earlier run began has not ended there.'
          : (ran.stderr.trim().split('\n').at(-1) ?? ''),
      state: 'Nothing was changed there.',
    });
  }
  return parse(ran.stdout);
}

function script({ address }: KubernetesNode): string {
  const url = `https://${hostPort(address, API_PORT)}`;
  return String.raw`
say() { printf '%s=%s\n' "$1" "$2"; }
[ -e /sys/fs/cgroup/cgroup.controllers ] && say cgroup 2 || say cgroup 1
t=/proc/sys/net/netfilter/nf_conntrack_max
if [ -e $t ] && ! (cat $t >$t) 2>/dev/null; then say conntrack fixed; fi
say interface "$(ip -o addr show | awk -v a="${address}" '{ split($4, p, "/"); if (p[1] == a) { print $2; exit } }')"
[ ! -e ${MARKER} ] || say marker "$(head -c 4096 ${MARKER} | head -n 1)"
for f in ${FILES.join(' ')}; do [ ! -e /etc/kubernetes/$f ] || say file $f; done
[ -z "$(ls -A /var/lib/etcd 2>/dev/null)" ] || say file etcd
for p in kube-apiserver kube-controller-manager kube-scheduler; do
  m=/etc/kubernetes/manifests/$p.yaml; [ ! -e $m ] || say manifest "$(sed -n 's/^ *image: .*://p' $m | head -n 1)"
done
! command -v kubeadm >/dev/null || say kubeadm "$(kubeadm version -o short 2>/dev/null)"
! command -v kubelet >/dev/null || say kubelet "$(kubelet --version 2>/dev/null | awk '{print $2}')"
! command -v kubectl >/dev/null || say kubectl "$(kubectl version --client 2>/dev/null | awk '/Client/ {print $3}')"
say active "$(systemctl is-active kubelet 2>/dev/null)"
if [ -e ${ADMIN_CONF} ] && command -v kubectl >/dev/null; then
  say ready "$(kubectl --kubeconfig ${ADMIN_CONF} -s ${url} --request-timeout=5s get --raw /readyz 2>/dev/null)"
fi
say ended yes`;
}

function parse(text: string): NodeFacts {
  const found = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (at > 0) found.set(line.slice(0, at), [...(found.get(line.slice(0, at)) ?? []), line.slice(at + 1)]);
  }
  const one = (key: string): string => found.get(key)?.[0] ?? '';
  const marker = markerOf(one('marker'));
  const programs = Object.fromEntries(
    (['kubeadm', 'kubelet', 'kubectl'] as const).flatMap((name) => (one(name) === '' ? [] : [[name, one(name)]])),
  );
  return {
    cgroup: one('cgroup') === '1' ? 1 : 2,
    fixedConntrack: one('conntrack') === 'fixed',
    interface: one('interface'),
    ...(marker === undefined ? {} : { marker }),
    files: found.get('file') ?? [],
    ready: one('ready') === 'ok',
    manifests: [...new Set(found.get('manifest') ?? [])],
    programs,
    kubeletActive: one('active') === 'active',
  };
}

/** A marker that can’t be read says nothing: then only what is on disk counts. */
function markerOf(text: string): Marker | undefined {
  try {
    return Marker.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
