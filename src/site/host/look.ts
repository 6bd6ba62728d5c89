import { shellQuote } from '../../ssh/shell-quote.ts';
import { HOST_SHELL } from './shell.ts';
import { journalPath, recordPath } from './record.ts';
import type { HostWish } from './wish.ts';

/** Programs of packages that matter when deliver would place the same. */
const PACKAGED = 'containerd runc kubelet kubeadm kubectl dockerd etcd crictl helm';

// containerd's dump can hold registry passwords: only what is asked for leaves the host.
const LOOK = String.raw`
say() { printf '%s=%s\n' "$1" "$2"; }
has() { command -v "$1" >/dev/null 2>&1; }
soon() { if has timeout; then timeout 10 "$@"; else "$@"; fi; }
say system "$(uname -s)"
say machine "$(uname -m)"
for p in tar gzip stat base64 find; do has $p || say lacks $p; done
[ -z "$units" ] || [ -d /run/systemd/system ] || say lacks systemd
recorded=
# What an earlier run still does is waited for, or it would be looked at half.
if [ -e "$lock" ] && has flock; then flock -s -w 45 "$lock" true || { echo "fail=another deliver still works on this host"; exit 75; }; fi
if [ -s "$journal" ]; then
  say journal "$(base64 <"$journal" | tr -d '\n')"
  recorded=$(sed -n 's/^file=[^ ]* [^ ]* [^ ]* [^ ]* //p' "$journal")
fi
nl='
'
if [ -f "$record" ]; then
  say record "$(base64 <"$record" | tr -d '\n')"
  recorded=$recorded$nl$(tr '{,' '\n\n' <"$record" | sed -n 's/^"\(\/[^"\\]*\)":$/\1/p')
fi
old=$IFS; IFS=$nl; set -f
for f in $(printf '%s\n%s\n' "$recorded" "$wished" | sort -u); do stat -c 'file=%a %s %Y %n' -- "$f" 2>/dev/null; done
for f in $wished; do
  [ -f "$f" ] || continue
  say sum "$(sum "$f") $f"
  IFS= read -r first <"$f" || :
  case $first in '# written by deliver'*) say marked "$f";; esac
done
IFS=$old; set +f
if has systemctl; then
  for u in $units; do
    systemctl show -p ActiveState -p UnitFileState -p FragmentPath -p NeedDaemonReload "$u" 2>/dev/null | awk -F= -v u="$u" '
      { v[$1] = $2 } END { print "unit=" u "|" v["ActiveState"] "|" v["UnitFileState"] "|" v["FragmentPath"] "|" v["NeedDaemonReload"] }'
  done
fi
for m in $modules; do
  if [ -d "/sys/module/$m" ] || grep -qs "/$m\.ko" "/lib/modules/$(uname -r)/modules.builtin"; then say module "$m"
  elif [ "$m" = br_netfilter ] && [ -d /proc/sys/net/bridge ]; then say module "$m"; fi
done
for s in $sysctls; do
  f=/proc/sys/$(printf %s "$s" | tr . /); [ ! -r "$f" ] || say sysctl "$s $(cat "$f")"
done
say swap "$(awk 'NR > 1' /proc/swaps 2>/dev/null | wc -l)"
say fstab "$(awk '$1 !~ /^#/ && $3 == "swap"' /etc/fstab 2>/dev/null | wc -l)"
say hosts "$(base64 </etc/hosts 2>/dev/null | tr -d '\n')"
say cgroup "$(stat -fc %T /sys/fs/cgroup 2>/dev/null)"
say oom "$( (s=$(cat /proc/self/oom_score_adj) && [ "$s" -gt -1000 ] && echo $((s - 1)) >/proc/self/oom_score_adj) 2>/dev/null && echo free || echo restricted)"
for p in $packaged; do
  for d in /usr/bin /usr/sbin; do
    [ -x "$d/$p" ] || continue
    case $p in kubeadm) v=$(soon $d/$p version -o short 2>/dev/null);; kubectl) v=$(soon $d/$p version --client 2>/dev/null | head -n 1);;
      helm) v=$(soon $d/$p version --short 2>/dev/null);; *) v=$(soon $d/$p --version 2>/dev/null | head -n 1);; esac
    say packaged "$p $v"; break
  done
done
say containers "$(ls /run/containerd/io.containerd.runtime.v2.task/k8s.io 2>/dev/null | wc -l)"
if has containerd && [ -S /run/containerd/containerd.sock ]; then
  soon containerd config dump 2>/dev/null | awk '
    /^[ \t]*\[/ { section = $0 }
    /^[ \t]*disabled_plugins[ \t]*=/ && /cri/ { print "criDisabled=yes" }
    /^[ \t]*SystemdCgroup[ \t]*=[ \t]*true/ { print "systemdCgroup=yes" }
    /^[ \t]*config_path[ \t]*=/ && section ~ /cri[^]]*\.registry\]/ { sub(/^[^=]*=[ \t]*/, ""); print "configPath=" $0 }
  '
fi
say looked yes
`;

/** A script that prints all that `planHost` needs to know about a host, in one round trip. Changes nothing. */
export function lookScript(wish: HostWish): string {
  const paths = wish.files.map(({ path }) => path);
  return [
    HOST_SHELL,
    `record=${shellQuote(recordPath(wish.stateFolder))}`,
    `journal=${shellQuote(journalPath(wish.stateFolder))}`,
    `lock=${shellQuote(`${wish.stateFolder}/lock`)}`,
    `wished=${shellQuote(paths.join('\n'))}`,
    `units=${shellQuote(wish.units.map(({ name }) => name).join(' '))}`,
    `modules=${shellQuote(wish.modules.join(' '))}`,
    `sysctls=${shellQuote(wish.sysctls.map(({ key }) => key).join(' '))}`,
    `packaged=${shellQuote(PACKAGED)}`,
    LOOK,
  ].join('\n');
}
