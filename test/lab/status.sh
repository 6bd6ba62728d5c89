#!/bin/bash
# A quick look at whether the lab is in order: one line per promise, exit 1 when one is broken.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/env.sh"
. "$LAB/registry.sh"; . "$LAB/cluster.sh"
need_root
[ -e /run/netns/dlvrun ] || die "the lab is not up"
bad=0
check() { # WHAT CMD...
  local what=$1 i; shift
  for i in 1 2 3 4 5; do if "$@" >/dev/null 2>&1; then say "ok      $what"; return; fi; sleep 1; done
  say "BROKEN  $what"; bad=1
}
answers() { [ "$(run curl -s -m 3 -o /dev/null -w '%{http_code}' "$1")" = "$2" ]; }
user_in() { run timeout 10 ssh -n "${SSH_OPTIONS[@]}" "ops@${IP[$1]}" 'sudo -n true'; }
no_way_out() { ! run curl -s -m 2 -o /dev/null http://192.0.2.1/ && ! on w1 'timeout 2 bash -c "exec 3<>/dev/tcp/192.0.2.1/80"'; }
for h in $HOSTS; do check "$h: ssh by key as ops, sudo" user_in "$h"; done
if [ "$MODE" = bare ]; then
  for h in cp1 w1 reg1; do check "$h: has no container runtime of its own" bash -c ". '$LAB/env.sh'; ! on $h test -e /usr/bin/containerd"; done
  check "the web server with the programs answers" curl -fsS -m 3 -o /dev/null "http://$COMPONENTS/"
else
check "both nodes Ready" kubectl wait --for=condition=Ready node --all --timeout=5s
for a in "${INGRESS[@]}"; do check "Traefik answers 404 on $a" answers "http://$a/" 404; done
check "Harbor answers to ping" harbor_answers
fi
check "Redis on ext1 answers" redis_answers
check "the connected side's registry answers" curl -fsS -m 3 "http://$UPSTREAM/v2/"
check "it can't be reached from the site" bash -c "! nsenter --net=/run/netns/dlvrun curl -s -m 2 http://$UPSTREAM/v2/"
# sends packets outwards, which the escape counter sees: only the bring-up asks for it
[ "${1:-}" != --probe ] || check "no way out of the site" no_way_out
exit $bad
