#!/bin/bash
# Makes the lab's images: one archive per kind of node, and a layout of what the connected side's registry serves.
# In the cache, keyed by everything that goes into them. Prints nothing; the paths are in env.sh (images_dir).
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/env.sh"
need_root
dir=$(images_dir)
[ -d "$dir" ] && exit 0
exec 9>"$CACHE/images.lock"; flock 9
[ -d "$dir" ] && exit 0
part=$dir.part; rm -rf "$part"; mkdir -p "$part/bin"
command -v go >/dev/null || die "no Go here, and the lab's two small programs are built from source: install golang-go"
build() { GOFLAGS=-buildvcs=false GOWORK=off CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -buildid= $3" -o "$part/bin/$1" "$LAB/$2/main.go"; }
build pause pause ""
for v in v361 v362; do build gatekeeper-$v gatekeeper "-X main.version=$v"; done
for d in kubernetes-$KUBERNETES_VERSION etcd-$ETCD_VERSION coredns-$COREDNS_VERSION traefik-$TRAEFIK_VERSION; do
  ln -sf "$CACHE/bin/$d"/* "$part/bin/"
done
export BASE BIN=$part/bin VERSION_KUBERNETES=$KUBERNETES_VERSION VERSION_PAUSE=$PAUSE_VERSION VERSION_COREDNS=$COREDNS_VERSION
export VERSION_TRAEFIK=$TRAEFIK_VERSION VERSION_ETCD=$ETCD_VERSION
for kind in control-plane worker upstream; do python3 "$LAB/images.py" "$part/$kind" $kind; done
for kind in control-plane worker; do tar -C "$part/$kind" -cf "$part/$kind.tar" . && rm -rf "${part:?}/$kind"; done
rm -rf "$part/bin"
mv "$part" "$dir"
for old in "$CACHE"/images-*; do case $old in "$dir" | *.lock) ;; *) rm -rf "$old" ;; esac; done
