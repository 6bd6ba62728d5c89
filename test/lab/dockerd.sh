#!/bin/bash
# Puts Debian's dockerd, containerd and runc into the cache for the tests that take an image from a docker daemon. Nothing is
# installed and nothing is started: the packages are only unpacked. Seconds when cold, nothing when warm.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/env.sh"
dir=$CACHE/bin/dockerd-$DEBIAN_SUITE
[ ! -d "$dir" ] || exit 0
command -v apt-get >/dev/null && command -v dpkg >/dev/null || die "needs apt-get and dpkg: Debian's docker.io is unpacked"
mkdir -p "$CACHE/bin" "$CACHE/tmp"
work=$(mktemp -d "$CACHE/tmp/dockerd.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
timeout 300 apt-get -qq -o APT::Sandbox::User=root download docker.io containerd runc >/dev/null
for package in *.deb; do dpkg -x "$package" out; done
mkdir -p "$dir.part"
cp out/usr/sbin/dockerd out/usr/bin/containerd out/usr/bin/containerd-shim* out/usr/sbin/runc "$dir.part/"
mv "$dir.part" "$dir"
say "dockerd: $dir"
