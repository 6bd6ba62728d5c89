#!/bin/bash
# slow-line.sh MBIT HOST...: what reaches a host comes at so many Mbit/s, as over a site's real lines; 0: at full speed again.
# A host that is made bare again has its full line.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/env.sh"
need_root
[ -e /run/netns/dlvrun ] || die "the lab is not up"
[[ "${1:-}" =~ ^[0-9]+$ ]] && [ $# -ge 2 ] || die "usage: slow-line.sh MBIT HOST..."
rate=$1; shift
for h in "$@"; do
  [ -n "${IP[$h]:-}" ] || die "there is no host $h"
  line=(nsenter --net=/run/netns/dlvsw tc qdisc)
  if [ "$rate" = 0 ]; then "${line[@]}" del dev "v-dlv$h" root 2>/dev/null || true
  else "${line[@]}" replace dev "v-dlv$h" root tbf rate "${rate}mbit" burst 256kb latency 200ms; fi
done
