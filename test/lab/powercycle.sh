#!/bin/bash
# powercycle.sh HOST: pulls the plug of one host and starts it again. Its disk stays. Returns when sshd answers.
# Its network namespace is made anew: a surviving one would keep bridges and packet filter rules that a power cut takes.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/env.sh"; . "$LAB/net.sh"; . "$LAB/host.sh"
need_root
h=${1:-}; [ -n "$h" ] && [ -n "${IP[$h]:-}" ] || die "usage: powercycle.sh HOST (one of: $HOSTS)"
cg_kill "dlv-$h"
ip netns del "dlv$h"
add_host_net "$h"
boot_host "$h"
host_up "$h"
