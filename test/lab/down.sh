#!/bin/bash
# Takes the lab down, whatever state it is in: finds what is there by name (cgroups, namespaces, mounts, loop devices),
# not by what a bring-up may have written down before it was killed. Leaves the cache. Fails when something is left.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/env.sh"
need_root
started=$(date +%s%N)
exec 8>"/run/deliver-lab.down.lock"; flock -w 120 8 || die "another tear-down is at work"
# first the bring-up, so that it makes nothing new. Called from within a bring-up, that cgroup is not there yet.
for g in dlv-up dlv-upstream $(for h in $ALL_HOSTS; do echo "dlv-$h"; done); do cg_kill "$g"; done
# whatever else runs inside the site's namespaces (an operator's command that was left behind)
for n in $(ip netns list | awk '$1 ~ /^dlv/ { print $1 }'); do
  pids=$(ip netns pids "$n"); [ -z "$pids" ] || { kill -KILL $pids 2>/dev/null || true; sleep 0.2; }
done
under() { awk -v s="$S/" 'index($2, s) == 1 { print $2 }' /proc/self/mounts | sort -r; }   # the deepest first
for m in $(under); do umount "$m" 2>/dev/null || umount -l "$m"; done
loops() { losetup -nlO NAME,BACK-FILE | awk -v s="$S/" 'index($2, s) == 1 { print $1 }'; }
for i in $(seq 20); do   # they let go by themselves, a moment after the last user of the mount is gone
  [ -n "$(loops)" ] || break; for l in $(loops); do losetup -d "$l" 2>/dev/null || true; done; sleep 0.1
done
for n in $(ip netns list | awk '$1 ~ /^dlv/ { print $1 }'); do ip netns del "$n"; done
[ ! -e "$RUN/sysctl.saved" ] || sysctl -qp "$RUN/sysctl.saved"
for h in $ALL_HOSTS; do rmdir "/run/systemd/nspawn/propagate/dlv-$h" 2>/dev/null || true; done
[ -z "$(under)" ] || die "still mounted: $(under | tr '\n' ' ')"
rm -rf "$S"
left=
for g in $(cg_left 'dlv-*'); do left="$left cgroup $g"; done
for n in $(ip netns list | awk '$1 ~ /^dlv/ { print $1 }'); do left="$left namespace $n"; done
for l in $(loops); do left="$left loop device $l"; done
[ -z "$left" ] || die "left behind:$left"
[ "${1:-}" = --quiet ] || printf 'down in %.1f s\n' "$((($(date +%s%N) - started) / 100000000))e-1"
