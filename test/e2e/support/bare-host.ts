import { z } from 'zod';
import { onHost, type Lab } from './lab.ts';

/** What of a running Kubernetes may be found on a host that left: processes, files, rules of the packet filter, links, mounts. */
const KUBERNETES = [
  `cat /proc/[0-9]*/comm 2>/dev/null | grep -xE 'kubelet|kube-proxy|flanneld|traefik|pause|containerd-shim' | sort -u`,
  `! systemctl is-enabled -q kubelet 2>/dev/null || echo 'kubelet starts with the next boot'`,
  [
    'for f in /etc/kubernetes/*.conf /etc/kubernetes/manifests/* /etc/kubernetes/pki /var/lib/kubelet/config.yaml /var/lib/kubelet/pki',
    '/var/lib/deliver/kubernetes.json /etc/cni/net.d/* /var/lib/cni /run/flannel; do [ ! -e "$f" ] || echo "$f"; done',
  ].join(' '),
  `for i in iptables ip6tables; do $i-save 2>/dev/null | grep -oE '(KUBE|CNI|FLANNEL)-[A-Z-]+'; done | sort -u`,
  'for l in cni0 flannel.1; do ip link show $l 2>/dev/null | head -n 1; done',
  `grep -o '/var/lib/kubelet/[^ ]*' /proc/mounts`,
  ':',
].join('\n');

/** A line for everything of Kubernetes that still runs on a host, or would again; programs and images don't count. */
export async function kubernetesOn(lab: Lab, host: string): Promise<string> {
  return (await onHost(lab, host, KUBERNETES)).trim();
}

/** Where deliver writes files, and the hosts file with its rights: what was there before has to be there afterwards. */
const FOLDERS = '/etc /usr/local /opt';
const PICTURE = [
  // Some write into /etc as they start for the first time.
  'timeout 60 systemctl is-system-running --wait >/dev/null 2>&1',
  `find ${FOLDERS} -xdev -type f -exec sha256sum {} +`,
  `find ${FOLDERS} -xdev -type l -printf '%p -> %l\\n'`,
  "stat -c '%n %a %U:%G' /etc/hosts",
].join('; ');

/** Every file below the folders that deliver writes to, with its digest; every link with its target. */
export async function filesOn(lab: Lab, host: string): Promise<readonly string[]> {
  return (await onHost(lab, host, PICTURE)).trim().split('\n').sort();
}

const HostRecord = z.looseObject({
  files: z.record(z.string(), z.unknown()),
  units: z.array(z.looseObject({ name: z.string() })),
});

/** What deliver says that it wrote on a host. */
export async function recordOn(lab: Lab, host: string): Promise<{ files: readonly string[]; units: readonly string[] }> {
  const { files, units } = HostRecord.parse(JSON.parse(await onHost(lab, host, 'cat /var/lib/deliver/host.json')));
  return { files: Object.keys(files), units: units.map(({ name }) => name) };
}
