#!/bin/bash
# Makes what the connected side's web server publishes: the programs that hosts get, in archives and under paths as their
# projects publish them, one folder per source host, with the checksum files beside them. In the cache, keyed by version.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/env.sh"
need_root
bash "$LAB/binaries.sh" kubernetes etcd coredns traefik kubernetes-previous etcd-previous etcdctl crictl coredns-previous containerd \
  containerd-2 runc cni-plugins helm registry flannel local-path
dir=$(components_dir)
[ -d "$dir" ] && exit 0
exec 9>"$CACHE/components.lock"; flock 9
[ -d "$dir" ] && exit 0
part=$dir.part; rm -rf "$part"; b=$CACHE/bin
sums() { (cd "$(dirname "$1")" && sha256sum "$(basename "$1")"); }
bare_sum() { sha256sum "$1" | cut -d' ' -f1; }
# archive FILE -C FOLDER MEMBER...: the same bytes for the same programs
archive() { local file=$1; shift; mkdir -p "$(dirname "$file")"; tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf - "$@" | gzip -1n >"$file"; }
for v in "$KUBERNETES_VERSION" "$KUBERNETES_PREVIOUS_VERSION"; do
  d=$part/dl.k8s.io/release/$v/bin/linux/amd64; mkdir -p "$d"
  for p in kubeadm kubelet kubectl; do ln "$b/kubernetes-$v/$p" "$d/" 2>/dev/null || cp "$b/kubernetes-$v/$p" "$d/"; bare_sum "$d/$p" >"$d/$p.sha256"; done
done
g=$part/github.com
for v in "$CONTAINERD_VERSION" "$CONTAINERD_2_VERSION"; do
  f=$g/containerd/containerd/releases/download/$v/containerd-${v#v}-linux-amd64.tar.gz
  mkdir -p "$part/stage/bin"; cp "$b/containerd-$v"/* "$part/stage/bin/"
  archive "$f" -C "$part/stage" bin; sums "$f" >"$f.sha256sum"; rm -rf "$part/stage"
done
f=$g/opencontainers/runc/releases/download/$RUNC_VERSION/runc.amd64; mkdir -p "${f%/*}"; cp "$b/runc-$RUNC_VERSION/runc" "$f"; sums "$f" >"${f%.amd64}.sha256sum"
f=$g/containernetworking/plugins/releases/download/$CNI_PLUGINS_VERSION/cni-plugins-linux-amd64-$CNI_PLUGINS_VERSION.tgz
archive "$f" -C "$b/cni-plugins-$CNI_PLUGINS_VERSION" .; sums "$f" >"$f.sha256"
f=$g/kubernetes-sigs/cri-tools/releases/download/$CRICTL_VERSION/crictl-$CRICTL_VERSION-linux-amd64.tar.gz
archive "$f" -C "$b/crictl-$CRICTL_VERSION" crictl; bare_sum "$f" >"$f.sha256"
f=$part/get.helm.sh/helm-$HELM_VERSION-linux-amd64.tar.gz; mkdir -p "$part/stage/linux-amd64"; cp "$b/helm-$HELM_VERSION/helm" "$part/stage/linux-amd64/"
archive "$f" -C "$part/stage" linux-amd64; sums "$f" >"$f.sha256sum"; rm -rf "$part/stage"
for v in "$ETCD_VERSION" "$ETCD_PREVIOUS_VERSION"; do
  f=$g/etcd-io/etcd/releases/download/$v/etcd-$v-linux-amd64.tar.gz; s=etcd-$v-linux-amd64; mkdir -p "$part/stage/$s"
  cp "$b/etcd-$v/etcd" "$b/etcdctl-$ETCD_VERSION/etcdctl" "$part/stage/$s/"; archive "$f" -C "$part/stage" "$s"; sums "$f" >"${f%/*}/SHA256SUMS"; rm -rf "$part/stage"
done
f=$g/distribution/distribution/releases/download/$REGISTRY_VERSION/registry_${REGISTRY_VERSION#v}_linux_amd64.tar.gz
archive "$f" -C "$b/registry-$REGISTRY_VERSION" registry; sums "$f" >"$f.sha256"
f=$g/coredns/coredns/releases/download/$COREDNS_VERSION/coredns_${COREDNS_VERSION#v}_linux_amd64.tgz
archive "$f" -C "$b/coredns-$COREDNS_VERSION" coredns; sums "$f" >"$f.sha256"
mv "$part" "$dir"
for old in "$CACHE"/components-*; do case $old in "$dir" | *.lock) ;; *) rm -rf "$old" ;; esac; done
