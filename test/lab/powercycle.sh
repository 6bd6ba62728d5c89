#!/bin/bash
# powercycle.sh HOST [off|on]: pulls the plug of one host and starts it again; or only one of the two. Its disk stays.
# Returns when sshd answers (off: when nothing of it runs).
# Its network namespace is made anew: a surviving one would keep bridges and packet filter rules that a power cut takes.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/env.sh"; . "$LAB/net.sh"; . "$LAB/host.sh"
need_root
h=${1:-}; what=${2:-cycle}
case ${IP[${h:-none}]:-}/$what in ?*/cycle | ?*/off | ?*/on) ;; *) die "usage: powercycle.sh HOST [off|on] (one of: $HOSTS)" ;; esac
if [ "$what" != on ]; then cg_kill "dlv-$h"; ip netns del "dlv$h"; fi
[ "$what" = off ] || { add_host_net "$h"; boot_host "$h"; host_up "$h"; }
