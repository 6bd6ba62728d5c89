import { shellQuote } from '../../ssh/shell-quote.ts';
import { SYSCTLS, type BuildNeeds, type HostDuty } from './needs.ts';
import { neededPrograms } from './programs.ts';

/** Folders whose file systems are looked at besides those that something is put in. */
const FOLDERS = ['/', '/etc', '/tmp'];

// Lines are `b.<key>=<value>`. Private keys and tokens stay where they are: of kubeconfigs only the certificate is read.
const LOOK = String.raw`
b() { printf 'b.%s=%s\n' "$1" "$(printf '%s' "$2" | tr '\n\t' '  ')"; }
active() { has systemctl && [ "$(systemctl is-active "$1" 2>/dev/null)" = active ]; }
b os "$(ID=; VERSION_ID=; PRETTY_NAME=; . /etc/os-release 2>/dev/null; printf '%s|%s|%s' "$ID" "$VERSION_ID" "$PRETTY_NAME")"
b kernel "$(uname -r)"
b cpus "$(nproc 2>/dev/null || grep -c '^processor' /proc/cpuinfo)"
b memory "$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)"
v=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo); [ -z "$v" ] || b available "$v"
b hostname "$(cat /proc/sys/kernel/hostname)"
[ ! -s /etc/machine-id ] || b machineId "$(cat /etc/machine-id)"
[ ! -r /sys/class/dmi/id/product_uuid ] || b productUuid "$(cat /sys/class/dmi/id/product_uuid)"
if has systemd-detect-virt; then v=$(systemd-detect-virt -c 2>/dev/null) && b container "$v"; elif [ -e /.dockerenv ]; then b container docker; fi
b uptime "$(awk '{ print int($1) }' /proc/uptime)"
if [ -e /run/reboot-required ] || [ -e /var/run/reboot-required ]; then b reboot yes; fi
[ ! -d /run/systemd/system ] || b systemd yes
for p in $programs; do has "$p" || b lacks "$p"; done
awk 'NR > 1 { print "b.swap=" $1 " " $3 " " $4 }' /proc/swaps 2>/dev/null
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then b cgroup 2; else b cgroup 1; fi
builtin=/lib/modules/$(uname -r)/modules.builtin
for m in $modules; do
  if [ -d "/sys/module/$m" ]; then s=loaded
  elif grep -qs "/$m\.ko" "$builtin" || grep -qsw "$m" /proc/filesystems; then s=builtin
  elif [ "$m" = br_netfilter ] && [ -d /proc/sys/net/bridge ]; then s=builtin
  elif has modprobe && modprobe -n -q "$m" 2>/dev/null; then s=loadable
  else s=missing; fi
  b module "$m $s"
done
for s in $sysctls; do
  f=/proc/sys/$(printf %s "$s" | tr . /)
  if [ ! -e "$f" ]; then b sysctl "$s - later"; continue; fi
  # The value that it has is written again: nothing changes, and it shows whether that may be done.
  v=$(cat "$f"); if (printf '%s\n' "$v" >"$f") 2>/dev/null; then w=yes; else w=no; fi; b sysctl "$s $v $w"
done
f=/proc/sys/net/netfilter/nf_conntrack_max
if [ -e $f ] && ! (cat $f >$f) 2>/dev/null; then b conntrack fixed; fi
b oom "$( (s=$(cat /proc/self/oom_score_adj) && [ "$s" -gt -1000 ] && echo $((s - 1)) >/proc/self/oom_score_adj) 2>/dev/null && echo free || echo restricted)"
b inotify "$(cat /proc/sys/fs/inotify/max_user_instances 2>/dev/null || echo 0)"
b files "$(awk '/^Max open files/ { print $5 }' /proc/1/limits 2>/dev/null)"
if has ip; then
  ip -o addr show 2>/dev/null | awk '$2 != "lo" && ($3 == "inet" || $3 == "inet6") { print "b.address=" $2 " " $4 }'
  { ip -4 route show; ip -6 route show; } 2>/dev/null | awk '$1 ~ /^[0-9a-f]+[.:]/ { d = "-"; g = "-"; for (i = 2; i < NF; i++) { if ($i == "dev") d = $(i + 1); if ($i == "via") g = $(i + 1) }; print "b.route=" $1 " " d " " g }'
fi
if has ss; then
  ss -ltnp 2>/dev/null | awk -v ports=" $ports " '$1 == "LISTEN" { p = $4; sub(/.*:/, "", p); if (!index(ports, " " p " ")) next
    h = $6; if (h !~ /"/) h = "?"; else { sub(/^[^"]*"/, "", h); sub(/".*/, "", h) }; print "b.listen=" p " " h }' | sort -u
else
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v ports=" $hexports " '$4 == "0A" { p = $2; sub(/.*:/, "", p); at = index(ports, " " p "=")
    if (!at) next; r = substr(ports, at + 6); sub(/ .*/, "", r); print "b.listen=" r " ?" }' | sort -u
fi
for p in $folders; do
  at=$p; while [ ! -d "$at" ]; do at=$(dirname "$at"); done
  d=$(df -Pk "$at" 2>/dev/null | awk 'NR == 2 { m = $6; for (i = 7; i <= NF; i++) m = m " " $i; print $2 "|" $4 "|" m }')
  o=$(awk -v m="${'$'}{d##*|}" '$2 == m { o = $4 } END { print o }' /proc/mounts)
  i=$(df -Pi "$at" 2>/dev/null | awk 'NR == 2 && $4 ~ /^[0-9]+$/ && $2 > 0 { print $4 }')
  [ -z "$d" ] || b disk "$p|$d|$o|$i"
done
for n in $names; do has getent && b resolved "$n $(soon getent ahosts "$n" | awk '{ if (!seen[$1]++) printf "%s ", $1 }')"; done
[ ! -e /var/lib/deliver/kubernetes.json ] || b ours kubernetes
if [ -e /var/lib/deliver/host.json ] || [ -s /var/lib/deliver/host.journal ]; then b ours host; fi
for f in /etc/kubernetes/*.conf /etc/kubernetes/manifests/* /var/lib/kubelet/config.yaml /etc/cni/net.d/*; do [ ! -f "$f" ] || b left "$f"; done
[ -z "$(ls -A /var/lib/etcd 2>/dev/null)" ] || b left /var/lib/etcd
cat /proc/[0-9]*/comm 2>/dev/null | sort -u | awk '$0 ~ /^(kubelet|dockerd|crio|k3s|k3s-server|k3s-agent|rke2|etcd|kube-apiserver|containerd|cri-dockerd)$/ { print "b.process=" $0 }'
[ ! -r /sys/fs/selinux/enforce ] || b selinux "$(cat /sys/fs/selinux/enforce)"
if active firewalld; then b firewall firewalld; fi
if has ufw && ufw status 2>/dev/null | grep -q '^Status: active'; then b firewall ufw; fi
if grep -qsE '^[^#]*Defaults.*[^!]requiretty' /etc/sudoers /etc/sudoers.d/*; then b requiretty yes; fi
if grep -qisE '^[^#]*https?_proxy=.' /etc/environment; then b proxy /etc/environment; fi
pem() { sed -n '/-BEGIN CERTIFICATE-/,/-END CERTIFICATE-/p; /-END CERTIFICATE-/q' "$1" | grep -v -e ----- | tr -d '\n'; }
for c in ca apiserver apiserver-kubelet-client apiserver-etcd-client front-proxy-ca front-proxy-client etcd/ca etcd/server etcd/peer; do
  f=/etc/kubernetes/pki/$c.crt; [ ! -r "$f" ] || b cert "$c.crt $(pem "$f")"
done
for c in admin controller-manager scheduler; do
  f=/etc/kubernetes/$c.conf; [ ! -r "$f" ] || b kubeconfig "$c.conf $(sed -n 's/^ *client-certificate-data: *//p' "$f" | head -n 1)"
done
[ ! -r /etc/kubernetes/manifests/etcd.yaml ] || b etcd "$(sed -n 's/^ *image: .*://p' /etc/kubernetes/manifests/etcd.yaml | head -n 1)"
b end yes
`;

/** Lines for the probe script that ask a host whether a site can be built on it. Changes nothing; POSIX, also busybox. */
export function buildQuestions(duty: HostDuty, needs: BuildNeeds): string {
  const ports = duty.ports.map(({ port }) => port);
  const hex = ports.map((port) => `${port.toString(16).toUpperCase().padStart(4, '0')}=${String(port)}`);
  const folders = new Set([...FOLDERS, ...duty.disk.map(({ path }) => path)]);
  const words: Readonly<Record<string, readonly string[]>> = {
    ports: ports.map(String),
    hexports: hex,
    modules: needs.modules,
    sysctls: SYSCTLS.map(({ key }) => key),
    programs: neededPrograms(duty, needs),
    folders: [...folders],
    names: needs.names.filter(({ written }) => !written).map(({ name }) => name),
  };
  const variables = Object.entries(words).map(([name, values]) => `${name}=${shellQuote(values.join(' '))}`);
  return [...variables, LOOK].join('\n');
}
