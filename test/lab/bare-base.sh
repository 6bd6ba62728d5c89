#!/bin/bash
# Makes the root filesystem of hosts that have sshd and what any Linux server has, and nothing of containers, Kubernetes,
# Python or a package source. Once per BARE_REVISION.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/env.sh"; . "$LAB/rootfs.sh"
need_root
[ -d "$BARE_BASE" ] && exit 0
mkdir -p "$CACHE"; exec 9>"$BARE_BASE.lock"; flock 9
[ -d "$BARE_BASE" ] && exit 0
packages=systemd,systemd-sysv,dbus,openssh-server,iproute2,iptables,nftables,kmod,procps,sudo,ca-certificates,conntrack,socat,ethtool,libseccomp2,busybox
make_rootfs "$BARE_BASE" "$packages"
# no package source, no package manager's lists, no interpreter that an installer could lean on
rm -rf "$BARE_BASE.part"/etc/apt/sources.list* "$BARE_BASE.part"/usr/bin/python* "$BARE_BASE.part"/usr/bin/curl "$BARE_BASE.part"/usr/bin/wget
mv "$BARE_BASE.part" "$BARE_BASE"
