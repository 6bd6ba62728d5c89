#!/bin/bash
# bare-reset.sh [HOST...]: makes hosts of a bare lab bare again in seconds, whatever became of them, also powered off ones:
# new disks, the base system, the same address and host key. Without a HOST all but the bastion, and Redis is emptied too.
# The escape counter goes to zero.
set -euo pipefail; shopt -s extglob
. "$(dirname "$(readlink -f "$0")")/env.sh"; . "$LAB/net.sh"; . "$LAB/host.sh"
need_root
[ -e /run/netns/dlvrun ] || die "the lab is not up"
[ "$MODE" = bare ] || die "this is not a lab of bare hosts: reset.sh is for it"
bare=${HOSTS//@(bastion|ext1)/}
for h in "$@"; do [[ " $bare " = *" $h "* ]] || die "usage: bare-reset.sh [HOST...] (of: $(echo $bare))"; done
started=$(date +%s%N); hosts=${*:-$bare}; pids=()
for h in $hosts; do wipe_host "$h" & pids+=($!); done
for p in "${pids[@]}"; do wait "$p"; done
# one after another, as in a bring-up: `ip netns add` does not like company
for h in $hosts; do add_host_net "$h"; prepare_host "$h"; boot_host "$h"; done
if [ $# = 0 ]; then
  on ext1 'systemctl restart redis-server; redis-cli flushall' >/dev/null
  if [ -e "$S/upstream/access.log" ]; then : >"$S/upstream/access.log"; fi
fi
for h in $hosts; do host_up "$h"; done
bash "$LAB/escapes.sh" --reset
printf 'bare in %.1f s\n' "$((($(date +%s%N) - started) / 100000000))e-1"
