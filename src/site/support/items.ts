/** One file of the archive per host: what a command prints, cut to the end (logs) or the beginning of it. */
export interface SupportItem {
  /** Path below the host's folder. */
  readonly name: string;
  readonly command: string;
  readonly keep: 'end' | 'beginning';
}

/** Bytes of one file, at most. */
const ITEM_LIMIT = 2 * 1024 ** 2;
/** Bytes of all hosts together, before they are compressed: many hosts have smaller files. */
const HOSTS_LIMIT = 256 * 1024 ** 2;
const LEAST = 64 * 1024;
const POD_LOG_LIMIT = 128 * 1024;

const UNITS = [
  'containerd',
  'kubelet',
  'docker',
  'etcd',
  'haproxy',
  'registry',
  'harbor',
  'coredns',
  'crio',
  'k3s',
  'rke2-server',
];

const FILES = [
  '/etc/os-release',
  '/etc/hosts',
  '/etc/resolv.conf',
  '/var/lib/kubelet/config.yaml',
  '/var/lib/kubelet/kubeadm-flags.env',
];

/**
 * What is asked of every host.
 * @param hours how far back logs go
 */
export function supportItems(hours: number): SupportItem[] {
  const since = `--since "$(date -d @$(($(date +%s) - ${String(hours * 3600)})) '+%Y-%m-%d %H:%M:%S')"`;
  const text = (name: string, command: string): SupportItem => ({ name, command, keep: 'beginning' });
  const log = (name: string, command: string): SupportItem => ({ name, command, keep: 'end' });
  return [
    text(
      'system.txt',
      `uname -a; uptime; date; cat /etc/os-release; nproc; cat /proc/meminfo | head -n 5; swapon --show 2>/dev/null`,
    ),
    text('disks.txt', 'df -hP; df -iP; mount'),
    text('network.txt', 'ip addr; ip route; ip -6 route; ss -ltn; iptables-save -c 2>/dev/null | head -n 2000'),
    text('processes.txt', 'ps -eo pid,ppid,user,rss,etime,stat,comm'),
    text(
      'units.txt',
      `systemctl --failed --no-pager; systemctl list-units --all --no-pager --plain; systemctl status --no-pager --lines=0 ${UNITS.join(' ')} 2>/dev/null`,
    ),
    text('unit-files.txt', `for u in ${UNITS.join(' ')}; do systemctl cat --no-pager $u 2>/dev/null; done`),
    text('versions.txt', VERSIONS),
    text('containers.txt', 'crictl ps -a; crictl pods; crictl images; crictl info | head -n 200'),
    text('containerd.txt', `${shown('find /etc/containerd -type f -name "*.toml"')}; containerd config dump 2>/dev/null`),
    text(
      'registries.txt',
      shown(
        'ls /etc/rancher/*/registries.yaml /etc/containers/registries.conf /etc/containers/registries.conf.d/* /etc/docker/daemon.json',
      ),
    ),
    text('files.txt', shown(`ls ${FILES.join(' ')}`)),
    text(
      'kubernetes.txt',
      `ls -lR /etc/kubernetes; ${shown('ls /etc/kubernetes/manifests/*')}; kubeadm certs check-expiration 2>/dev/null`,
    ),
    text('cni.txt', shown('ls /etc/cni/net.d/*')),
    text('deliver.txt', shown('ls /var/lib/deliver/*.json /run/deliver/*.log /etc/haproxy/haproxy.cfg')),
    log('kernel.log', `journalctl -k ${since} --no-pager -o short-iso`),
    ...UNITS.map((unit) => log(`${unit}.log`, `journalctl -u ${unit} ${since} --no-pager -o short-iso -q`)),
    log(
      'kube-system-pods.log',
      `for f in /var/log/pods/kube-system_*/*/*.log; do [ ! -f "$f" ] || { echo "== $f"; tail -c ${String(POD_LOG_LIMIT)} "$f"; }; done`,
    ),
  ];
}

/** Bytes that one file of one of so many hosts may have. */
export function itemLimit(hosts: number): number {
  const files = Math.max(1, hosts) * supportItems(1).length;
  return Math.min(ITEM_LIMIT, Math.max(LEAST, Math.floor(HOSTS_LIMIT / files)));
}

/** A shell command that prints at most `limit` bytes. */
export function boundedItem({ command, keep }: SupportItem, limit: number): string {
  const cut = keep === 'end' ? `tail -c ${String(limit)}` : `head -c ${String(limit)}`;
  return `LC_ALL=C; PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin; export LC_ALL PATH; { ${command}; } 2>&1 </dev/null | ${cut}`;
}

/** What was cut at its beginning starts with half a line, in which half a secret may be. */
export function wholeLines(text: string, { keep }: SupportItem, limit: number): string {
  if (Buffer.byteLength(text) < limit) return text;
  const note = `[cut: only ${String(limit)} bytes are kept]\n`;
  if (keep === 'end') return note + text.slice(text.indexOf('\n') + 1);
  return text.slice(0, text.lastIndexOf('\n') + 1) + note;
}

const VERSIONS = [
  ...[
    'containerd --version',
    'runc --version',
    'crictl --version',
    'kubeadm version -o short',
    'kubelet --version',
    'kubectl version --client',
  ],
  ...['helm version --short', 'etcd --version', 'docker --version', 'docker compose version', 'registry --version', 'haproxy -v'],
]
  .map((line) => `echo "$ ${line}"; ${line} 2>&1 | head -n 5`)
  .join('; ');

/** Shell: the files that a command lists, each with its name above. */
function shown(list: string): string {
  return `for f in $(${list} 2>/dev/null); do [ ! -f "$f" ] || { echo "== $f"; head -c 262144 "$f"; echo; }; done`;
}
