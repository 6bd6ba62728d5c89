#!/bin/bash
# Makes the root filesystem that all hosts of the site share as their lowest overlay layer. Once per BASE_REVISION.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/env.sh"; . "$LAB/rootfs.sh"
need_root
[ -d "$BASE" ] && exit 0
mkdir -p "$CACHE"; exec 9>"$BASE.lock"; flock 9
[ -d "$BASE" ] && exit 0
packages=systemd,systemd-sysv,dbus,openssh-server,iproute2,iptables,nftables,containerd,runc,containernetworking-plugins,conntrack
packages=$packages,socat,ethtool,ebtables,kmod,procps,curl,ca-certificates,iputils-ping,docker-registry,redis-server,redis-tools
packages=$packages,sudo,busybox,libstdc++6,haproxy
make_rootfs "$BASE" "$packages"
mv "$BASE.part" "$BASE"
