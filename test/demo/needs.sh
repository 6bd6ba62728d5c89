#!/bin/bash
# Can this machine bring the lab up? Prints where its programs come from (cache, download or build), or says on standard
# error what is missing and what to do, and exits 1. Packages of the distribution are test/lab/packages.sh's business.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/../lab/env.sh"
problems=()
[ "$(uname -m)" = x86_64 ] || problems+=("The lab knows only x86_64 machines, this is $(uname -m).")
[ ! -x "$(command -v unshare)" ] || unshare -m -n true 2>/dev/null ||
  problems+=("This root may not make namespaces: a container? Give it more rights (docker run --privileged), or take a virtual machine.")
if ! command -v apt-get >/dev/null; then
  lacking=
  for tool in debootstrap systemd-nspawn skopeo ssh nft ip mkfs.ext4 openssl python3 curl nsenter sysctl; do
    command -v $tool >/dev/null || lacking="$lacking $tool"
  done
  [ -z "$lacking" ] || problems+=("Missing, and there is no apt-get to install them:$lacking. Install them by hand.")
fi

reaches() { # the official release addresses
  if command -v curl >/dev/null; then curl -fsIL --connect-timeout 5 --max-time 15 -o /dev/null https://dl.k8s.io/release/stable.txt
  else timeout 5 bash -c 'exec 3<>/dev/tcp/dl.k8s.io/443'; fi 2>/dev/null
}
go_builds() { # Kubernetes 1.34 asks for Go 1.24
  local version; version=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null) || return 1
  [ "$(printf '%s\n' go1.24 "$version" | sort -V | head -n 1)" = go1.24 ]
}
from=cache
for program in kubernetes-$KUBERNETES_VERSION etcd-$ETCD_VERSION coredns-$COREDNS_VERSION traefik-$TRAEFIK_VERSION \
  crane-$CRANE_VERSION regctl-$REGCTL_VERSION; do [ -d "$CACHE/bin/$program" ] || from=; done
if [ -z "$from" ]; then
  if [ "${DELIVER_LAB_DOWNLOAD:-1}" = 1 ] && reaches; then from=download
  elif go_builds; then from=build
  else
    problems+=("Kubernetes, etcd, CoreDNS and Traefik can be neither downloaded nor built: dl.k8s.io $([ "${DELIVER_LAB_DOWNLOAD:-1}" = 1 ] && echo "can’t be reached" || echo "is not asked (DELIVER_LAB_DOWNLOAD=0)"), and there is \
no Go 1.24 or newer ($(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null || echo 'no Go at all')). Let this machine reach dl.k8s.io and \
github.com, or install Go 1.24 and let it reach a Go module proxy (GOPROXY), or bring $CACHE from a machine where the lab was up.")
  fi
fi
if [ ${#problems[@]} != 0 ]; then printf '%s\n' "${problems[@]}" | fold -s -w 76 | sed 's/^/  /' >&2; exit 1; fi
echo "$from"
