import type { HostConnection } from '../../ssh/port.ts';
import { FORGET_ENDPOINT } from './endpoint.ts';
import { locked, onHost } from './host.ts';
import { CRI_SOCKET, MARKER, PATCHES } from './paths.ts';
import { HAPROXY_CONFIG } from '../balancer/haproxy.ts';

const WIPE_TIMEOUT = 5 * 60_000;

/** kubeadm empties /var/lib/etcd in this phase, also where etcd is a group of its own. */
const KEEP_ETCD = ' --skip-phases=remove-etcd-member';

/** What kube-proxy and the CNI plugins left in the packet filter. Other rules stay, but for what jumps into these. */
export const PACKET_FILTER = `
for i in iptables ip6tables; do for t in filter nat mangle; do
  command -v $i-save >/dev/null || break
  s=$($i-save -t $t 2>/dev/null) || continue
  printf '%s\\n' "$s" | grep -qE '(KUBE-|CNI-|FLANNEL-|cali-)' || continue
  printf '%s\\n' "$s" | grep -vE '(KUBE-|CNI-|FLANNEL-|cali-)' | $i-restore -T $t 2>/dev/null || :
done; done
if command -v nft >/dev/null; then for f in ip ip6; do nft delete table $f kube-proxy 2>/dev/null || :; done; fi
for l in cni0 flannel.1 kube-ipvs0; do ip link delete $l 2>/dev/null || :; done`;

export interface WipeOptions {
  readonly etcdData: boolean;
  /** Nothing of Kubernetes is to run there any more: its kubelet does not start with the next boot either. */
  readonly forGood?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Takes Kubernetes off a host: kubeadm reset (which leaves the etcd cluster first where it can), then what it leaves
 * behind. Programs, images and the container runtime stay.
 */
export async function wipeHost(connection: HostConnection, options: WipeOptions): Promise<void> {
  const { etcdData, forGood = false, signal } = options;
  const script = locked(`
if command -v kubeadm >/dev/null; then
  timeout 120 kubeadm reset --force --cri-socket ${CRI_SOCKET}${etcdData ? '' : KEEP_ETCD} >/run/deliver/kubeadm-reset.log 2>&1 </dev/null || tail -n 5 /run/deliver/kubeadm-reset.log >&2
fi
systemctl ${forGood ? 'disable -q --now' : 'stop'} kubelet 2>/dev/null
set -e
rm -rf /etc/kubernetes/manifests /etc/kubernetes/pki /etc/kubernetes/tmp ${PATCHES} /etc/kubernetes/*.conf ${HAPROXY_CONFIG.slice(0, HAPROXY_CONFIG.lastIndexOf('/'))}
# the folder stays: containerd watches it, and would not see a new one
rm -rf /etc/cni/net.d/* /var/lib/cni /run/flannel /var/lib/kubelet/config.yaml /var/lib/kubelet/kubeadm-flags.env /var/lib/kubelet/pki
${etcdData ? 'rm -rf /var/lib/etcd' : ''}
${FORGET_ENDPOINT}
${PACKET_FILTER}
rm -f ${MARKER}`);
  await onHost(connection, script, {
    what: 'taking Kubernetes off',
    timeout: WIPE_TIMEOUT + 600_000,
    ...(signal === undefined ? {} : { signal }),
  });
}
