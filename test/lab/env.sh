# Shared by every script of the lab: addresses, folders, small helpers. Sourced, never run.
export LC_ALL=C
LAB=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
REPO=$(readlink -f "$LAB/../..")
. "$LAB/versions.sh"
S=${DELIVER_LAB_DIR:-/var/tmp/deliver-lab}
CACHE=${DELIVER_LAB_CACHE:-$HOME/.cache/deliver-lab}
SITE=$S/site
RUN=$S/run
BASE=$CACHE/base-$DEBIAN_SUITE-$BASE_REVISION

# site: a Harbor and a Kubernetes are there before deliver comes.  bare: the hosts have sshd, and nothing else.
MODE=${DELIVER_LAB_MODE:-$(cat "$S/run/mode" 2>/dev/null || echo site)}
BARE_BASE=$CACHE/bare-$DEBIAN_SUITE-$BARE_REVISION
SITE_HOSTS="bastion reg1 cp1 w1 ext1"
SPARE_HOSTS="cp2 cp3 w2 etcd1 w3 w4 w5"   # only in bare mode: what a site grows by
ALL_HOSTS="$SITE_HOSTS $SPARE_HOSTS"
HOSTS=$SITE_HOSTS; [ "$MODE" != bare ] || HOSTS=$ALL_HOSTS
NODES="cp1 w1"
declare -A IP=([bastion]=10.77.0.9 [reg1]=10.77.0.10 [cp1]=10.77.0.11 [w1]=10.77.0.12 [ext1]=10.77.0.13
  [cp2]=10.77.0.14 [cp3]=10.77.0.15 [w2]=10.77.0.16 [etcd1]=10.77.0.17
  [w3]=10.77.0.18 [w4]=10.77.0.19 [w5]=10.77.0.20)
RUNNER_IP=10.77.0.100
GATEWAY=10.77.0.1
declare -A INGRESS=([cp1]=10.86.67.11 [w1]=10.86.68.66)   # the ingress addresses of the seed document, word for word
declare -A POD_CIDR=([cp1]=10.244.0.0/24 [w1]=10.244.1.0/24)
POD_NET=10.244.0.0/16
SERVICE_NET=10.96.0.0/12
KUBEKEY_NET=10.233.0.0/17                                  # KubeKey's own pods and services, for its sample files
HARBOR=dockerhub.kubekey.local
UPSTREAM=127.0.0.1:5580
COMPONENTS=127.0.0.1:5581                                  # the connected side's web server: programs, as upstream publishes them
OPSPW_PASSWORD=opspw-Lab-77                                # not a secret: it opens nothing but this lab

say() { printf '%s\n' "$*"; }
die() { printf 'lab: %s\n' "$*" >&2; exit 1; }
need_root() { [ "$(id -u)" = 0 ] || die "needs root (it makes namespaces, mounts and cgroups)"; }
# wait_for SECONDS WHAT CMD...: every wait of the lab goes through here, so none is endless
wait_for() {
  local end=$((SECONDS + $1)) what=$2; shift 2
  until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || die "gave up waiting for $what"; sleep 0.2; done
}

# --- inside the site. Lab addresses mean nothing (or something else) in the machine's own network: never send there.
run() { nsenter --net=/run/netns/dlvrun "$@"; }
SSH_OPTIONS=(-i "$SITE/id_ed25519" -o "UserKnownHostsFile=$SITE/known_hosts" -o ConnectTimeout=3 -o BatchMode=yes -o LogLevel=ERROR)
# -n matters in loops: ssh would eat their input. Use hin for commands that read theirs.
on() { local h=$1; shift; run timeout 300 ssh -n "${SSH_OPTIONS[@]}" "root@${IP[$h]}" "$@"; }
hin() { local h=$1; shift; run timeout 300 ssh "${SSH_OPTIONS[@]}" "root@${IP[$h]}" "$@"; }

# --- cgroups: one per host (each kubelet must own its /kubepods), and one each for the bring-up and the upstream
# registry. They are also how down.sh finds every process of the lab, whatever became of the pid files.
cg_roots() {
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then echo /sys/fs/cgroup
  else awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/self/mounts | grep ^/sys/fs/cgroup/ | sort -u; fi
}
cg_enter() { # NAME: the calling (sub)shell moves there
  local r c
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    for c in cpuset cpu io memory pids; do echo "+$c" >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null || true; done
  fi
  for r in $(cg_roots); do
    mkdir -p "$r/$1"
    if [ -e "$r/cpuset.cpus" ] && [ -z "$(cat "$r/$1/cpuset.cpus")" ]; then   # v1: empty means nobody may enter
      cat "$r/cpuset.cpus" >"$r/$1/cpuset.cpus"; cat "$r/cpuset.mems" >"$r/$1/cpuset.mems"
    fi
    echo "$BASHPID" >"$r/$1/cgroup.procs"
  done
}
cg_leave() { # NAME: back to the top, and the empty cgroup goes
  local r
  for r in $(cg_roots); do
    [ -d "$r/$1" ] || continue
    echo "$BASHPID" >"$r/cgroup.procs"; rmdir "$r/$1" 2>/dev/null || true
  done
}
cg_pids() { local r; for r in $(cg_roots); do [ ! -d "$r/$1" ] || find "$r/$1" -name cgroup.procs -exec cat {} + 2>/dev/null; done | sort -un; }
cg_kill() { # NAME: ends everything in it and removes it
  local r i pids
  for i in $(seq 100); do
    pids=$(cg_pids "$1"); [ -n "$pids" ] || break
    kill -KILL $pids 2>/dev/null || true; sleep 0.1
  done
  for i in $(seq 20); do
    for r in $(cg_roots); do [ ! -d "$r/$1" ] || find "$r/$1" -depth -type d -exec rmdir {} + 2>/dev/null || true; done
    [ -n "$(cg_left "$1")" ] || return 0; sleep 0.1
  done
}
cg_left() { local r; for r in $(cg_roots); do compgen -G "$r/$1" || true; done; }
lab_key() { cat "$LAB"/{versions.sh,images.py,images.sh,base.sh,rootfs.sh,gatekeeper/main.go,pause/main.go,flannel-cni/main.go} | sha256sum | cut -c1-12; }
images_dir() { echo "$CACHE/images-$(lab_key)"; }
components_dir() { echo "$CACHE/components-$(cat "$LAB"/{versions.sh,binaries.sh,bare-components.sh} | sha256sum | cut -c1-12)"; }
# Harbor's installer with Docker and compose, beside the components: a minute when cold; DELIVER_LAB_HARBOR=0 leaves it out
harbor_components() { [ "${DELIVER_LAB_HARBOR:-1}" = 0 ] || bash "$LAB/harbor-installer.sh"; }
bare_images_dir() { echo "$CACHE/bare-images-$(lab_key)"; }
