#!/bin/bash
# Makes the layout of images that a site of bare hosts runs, for the connected side's registry. In the cache, keyed by
# everything that goes into them.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/env.sh"
need_root
dir=$(bare_images_dir)
[ -d "$dir" ] && exit 0
exec 9>"$CACHE/bare-images.lock"; flock 9
[ -d "$dir" ] && exit 0
part=$dir.part; rm -rf "$part"; mkdir -p "$part/bin"; b=$CACHE/bin
build() { GOFLAGS=-buildvcs=false GOWORK=off CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -buildid=" -o "$part/bin/$1" "$LAB/$1/main.go"; }
build pause; build flannel-cni
for v in "$KUBERNETES_VERSION" "$KUBERNETES_PREVIOUS_VERSION"; do ln -s "$b/kubernetes-$v" "$part/bin/$v"; done
for d in etcd-$ETCD_VERSION etcd-$ETCD_PREVIOUS_VERSION \
  coredns-$COREDNS_VERSION coredns-$COREDNS_PREVIOUS_VERSION; do ln -s "$b/$d" "$part/bin/$d"; done
ln -s "$b/etcdctl-$ETCD_VERSION/etcdctl" "$b/traefik-$TRAEFIK_VERSION/traefik" "$b/flannel-$FLANNEL_VERSION/flannel" "$b/local-path-$LOCAL_PATH_VERSION/local-path-provisioner" "$part/bin/"
export BASE BIN=$part/bin VERSION_KUBERNETES=$KUBERNETES_VERSION VERSION_PAUSE=$PAUSE_VERSION VERSION_COREDNS=$COREDNS_VERSION
export VERSION_TRAEFIK=$TRAEFIK_VERSION VERSION_ETCD=$ETCD_VERSION VERSION_KUBERNETES_PREVIOUS=$KUBERNETES_PREVIOUS_VERSION
export VERSION_ETCD_PREVIOUS=$ETCD_PREVIOUS_VERSION VERSION_COREDNS_PREVIOUS=$COREDNS_PREVIOUS_VERSION VERSION_FLANNEL=$FLANNEL_VERSION
export VERSION_FLANNEL_CNI=$FLANNEL_CNI_VERSION VERSION_LOCAL_PATH=$LOCAL_PATH_VERSION
export VERSION_HAPROXY=$HAPROXY_VERSION
python3 "$LAB/images.py" "$part" bare
rm -rf "$part/bin"
mv "$part" "$dir"
for old in "$CACHE"/bare-images-*; do case $old in "$dir" | *.lock) ;; *) rm -rf "$old" ;; esac; done
