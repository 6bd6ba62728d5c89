#!/bin/bash
# Brings the whole lab up: the site (five hosts, Harbor, Redis, Kubernetes with an ingress controller) and the connected
# side's registry. Cleans up after an earlier lab first. See README.md here for what there is and how to use it.
set -euo pipefail
export DELIVER_LAB_MODE=${DELIVER_LAB_MODE:-site}   # bare: hosts with nothing but sshd
. "$(dirname "$(readlink -f "$0")")/env.sh"
for part in net host k8s-layer registry cluster; do . "$LAB/$part.sh"; done
need_root
started=$(date +%s%N); last=$started
stage() { local now; now=$(date +%s%N); printf '%6.1f s  %s\n' "$(((now - last) / 100000000))e-1" "$*"; last=$now; }
trap '[ $? = 0 ] || echo "lab: the bring-up did not finish; what there is stays for a look ($RUN), down.sh removes it" >&2' EXIT

other=$(cat /run/deliver-lab.pid 2>/dev/null || true)
[ -z "$other" ] || ! grep -qs up.sh "/proc/$other/cmdline" || die "another bring-up is at work (process $other)"
echo $$ >/run/deliver-lab.pid
bash "$LAB/down.sh" --quiet
# everything started from here on is found by down.sh through this cgroup, also when this script was killed
cg_enter dlv-up
node=$REPO/node_modules/node/bin/node
[ -x "$node" ] || die "$node is missing: run npm ci first"
bash "$LAB/packages.sh";            stage "packages of this machine"
bash "$LAB/base.sh" & base=$!       # both take minutes when cold, and wait for different things
if [ "$MODE" = bare ]; then bash "$LAB/bare-base.sh"; bash "$LAB/bare-components.sh"; harbor_components; else bash "$LAB/binaries.sh"; fi
wait $base;                         stage "programs and base system"
bash "$LAB/images.sh";              stage "images"
[ "$MODE" != bare ] || { bash "$LAB/bare-images.sh"; stage "images of the site"; }

mkdir -p "$RUN" "$SITE" "$S/hosts" "$LAB/harbor"; echo "$MODE" >"$RUN/mode"
# global settings that the kubelets insist on or that five systemds need; down.sh puts them back
sysctl vm.overcommit_memory kernel.panic kernel.panic_on_oops fs.inotify.max_user_instances >"$RUN/sysctl.saved"
sysctl -qw fs.inotify.max_user_instances=1024
! command -v modprobe >/dev/null || modprobe -qa overlay loop br_netfilter bridge veth nf_tables ip_tables nf_nat 2>/dev/null || true   # built in, or not there: seen soon
ssh-keygen -q -t ed25519 -N '' -C operator@lab -f "$SITE/id_ed25519"; : >"$SITE/known_hosts"
{
  echo "127.0.0.1 localhost"
  for h in $HOSTS; do echo "${IP[$h]} $h"; done
  [ "$MODE" = bare ] || echo "${IP[reg1]} $HARBOR"   # on bare hosts names are deliver's to make known
  for a in "${INGRESS[@]}"; do echo "$a gatekeeper.project.$a.nip.io"; done   # the site's stand-in for a resolver that knows nip.io
} >"$RUN/hosts"
# nobody answers there: a question for any other name fails at once and is counted as an attempt to leave the site
printf 'nameserver %s\noptions timeout:1 attempts:1\n' "$GATEWAY" >"$RUN/resolv.conf"
[ "$MODE" = bare ] || { make_pki; make_k8s_layer; }
make_net
for h in $HOSTS; do prepare_host "$h"; done
[ "$MODE" = bare ] || prepare_registry
prepare_redis
for h in $HOSTS; do boot_host "$h"; done
bash "$LAB/upstream.sh" up >"$RUN/upstream.log" 2>&1 & upstream=$!
for h in $HOSTS; do host_up "$h"; done
stage "network and hosts"
if [ "$MODE" != bare ]; then
import_images w1 & import=$!
import_images cp1; wait $import;    stage "system images on the nodes"
init_cluster;                       stage "kubeadm init and join"
cluster_ready >/dev/null;           stage "nodes, CoreDNS and Traefik ready"
fi
wait $upstream || { cat "$RUN/upstream.log" >&2; die "the connected side's registry did not come up"; }
stage "the connected side's registry"
python3 "$LAB/describe.py" >"$SITE/lab.json"
cp "$LAB/versions.sh" "$RUN/versions"
bash "$LAB/status.sh" --probe >"$RUN/status.log" || { cat "$RUN/status.log" >&2; die "the site is up but not in order"; }
stage "checked"
bash "$LAB/escapes.sh" --reset
cg_leave dlv-up; rm -f /run/deliver-lab.pid
printf '%6.1f s  in all. Site: %s\n' "$((($(date +%s%N) - started) / 100000000))e-1" "$SITE/lab.json"
