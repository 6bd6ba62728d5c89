#!/bin/bash
# What the tests run against: gets it where it can (--install), then says in one line what is missing. Never fails: a test
# whose counterpart is missing is skipped and says so.
set -uo pipefail
. "$(dirname "$(readlink -f "$0")")/env.sh"
export PATH=$PATH:/usr/sbin:/sbin
# command:Debian package
PROGRAMS=(tar:tar skopeo:skopeo docker-registry:docker-registry sshd:openssh-server ssh-keygen:openssh-client openssl:openssl
  mkfs.vfat:dosfstools fusefat:fusefat busybox:busybox dash:dash)
install() {
  [ "$(id -u)" != 0 ] || bash "$LAB/packages.sh" "${PROGRAMS[@]}" || say "some packages could not be installed"
  bash "$LAB/minio.sh"
  bash "$LAB/dockerd.sh"
  # Kubernetes takes minutes when cold; the lab needs it as well.
  local name
  for name in kubernetes etcd crane regctl oras toxiproxy; do bash "$LAB/binaries.sh" "$name"; done
}
[ "${1:-}" != --install ] || install
missing=()
for p in "${PROGRAMS[@]}"; do command -v "${p%%:*}" >/dev/null || missing+=("${p%%:*}"); done
cached() { [ -x "$CACHE/bin/$1" ] || missing+=("${2:-${1##*/}}"); }
cached "minio-$MINIO_VERSION/minio"
cached "dockerd-$DEBIAN_SUITE/dockerd"
cached "kubernetes-$KUBERNETES_VERSION/kube-apiserver"
cached "etcd-$ETCD_VERSION/etcd"
cached "crane-$CRANE_VERSION/crane"
cached "regctl-$REGCTL_VERSION/regctl"
cached "oras-$ORAS_VERSION/oras"
cached "toxiproxy-$TOXIPROXY_VERSION/toxiproxy"
[ "$(id -u)" = 0 ] || missing+=("root (dockerd, a FAT of the kernel)")
[ "$(stat -f -c %T /dev/shm 2>/dev/null)" = tmpfs ] || missing+=("a second file system at /dev/shm")
[ -e /dev/fuse ] || missing+=("/dev/fuse")
if [ ${#missing[@]} = 0 ]; then say "capabilities: all are there"
else printf -v list '%s, ' "${missing[@]}"; say "capabilities missing, their tests are skipped: ${list%, }"; fi
