#!/bin/bash
# Installs what the lab itself needs on this machine, and only what is missing. Daemons that come along are not
# started: a policy-rc.d says no while apt runs. Others give what they need: packages.sh COMMAND:PACKAGE...
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/env.sh"
need_root
wanted=(debootstrap:debootstrap systemd-nspawn:systemd-container skopeo:skopeo ssh:openssh-client nft:nftables ip:iproute2
  mkfs.ext4:e2fsprogs openssl:openssl python3:python3 curl:curl tcpdump:tcpdump nsenter:util-linux sysctl:procps)
[ $# = 0 ] || wanted=("$@")
missing=()
for w in "${wanted[@]}"; do { case $w in /*) [ -e "${w%%:*}" ] ;; *) command -v "${w%%:*}" >/dev/null ;; esac; } || missing+=("${w#*:}"); done
[ $# != 0 ] || command -v go >/dev/null || [ "${DELIVER_LAB_DOWNLOAD:-0}" != 1 ] || missing+=(golang-go)   # enough for the two small programs of the lab
[ ${#missing[@]} = 0 ] && exit 0
command -v apt-get >/dev/null || die "missing: ${missing[*]}; install them by hand, this machine has no apt"
say "installing ${missing[*]}"
if [ ! -e /usr/sbin/policy-rc.d ]; then
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
timeout 300 apt-get -qq update
timeout 600 apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
