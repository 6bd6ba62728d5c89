#!/bin/bash
# Gets the programs the lab runs (Kubernetes, etcd, CoreDNS, Traefik, crane, regctl, oras) into the cache, one folder per
# version. What is there already is left alone. With DELIVER_LAB_DOWNLOAD=1 each is first tried from its official
# release address (checked against the published sha256 where there is one); otherwise, or when that address does
# not answer, it is built from Go modules. Several minutes when cold, nothing when warm.
# With names as arguments (binaries.sh crane) it gets only those.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/env.sh"
export GOFLAGS="-mod=mod -buildvcs=false" CGO_ENABLED=0 GOWORK=off
arch=amd64
[ "$(uname -m)" = x86_64 ] || die "the lab knows only x86_64 machines, this is $(uname -m)"
mkdir -p "$CACHE/bin" "$CACHE/tmp"
exec 9>"$CACHE/bin.lock"; flock 9     # two bring-ups at once must not build into the same folder
rm -rf "$CACHE"/tmp/build.*           # of one that was killed
work=$(mktemp -d "$CACHE/tmp/build.XXXXXX")
trap 'rm -rf "$work"' EXIT

need_go() {
  command -v go >/dev/null ||
    die "no Go here and the release addresses can't be used: install Go 1.24 or newer, or set DELIVER_LAB_DOWNLOAD=1 on a machine that reaches them"
}
# module NAME MODULE VERSION: a throwaway module that requires MODULE, in $work/NAME. MODULE's own replace lines of the
# form "old => new version" are kept, because replaces of a dependency are otherwise ignored; relative ones
# (Kubernetes' staging folders) become the published module of the same release.
module() {
  need_go
  local dir=$work/$1 mod
  mkdir -p "$dir"; cd "$dir"
  go mod init "lab.invalid/$1" 2>/dev/null
  mod=$(go mod download -json "$2@$3" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
  [ -f "$mod" ] || die "$2@$3 could not be had from the Go module proxy"
  go mod edit -require "$2@$3"
  if [ "$2" = k8s.io/kubernetes ]; then
    sed -n 's#^[[:space:]]*\(k8s.io/[a-z0-9.-]*\) => ./staging/.*#\1#p' "$mod" |
      while read -r m; do go mod edit -replace "$m=$m@v0.${3#v1.}"; done
  else
    sed -n 's/^\(replace\)\{0,1\}[[:space:]]*\([^ ]*\)\( v[^ ]*\)\{0,1\} => \([^. ][^ ]*\) \(v[^ ]*\).*/\2 \4@\5/p' "$mod" |
      while read -r old new; do go mod edit -replace "$old=$new"; done
  fi
}
# build NAME LDFLAGS PACKAGE...: into $work/NAME/out, then moved to the cache in one step
build() {
  local name=$1 flags=$2; shift 2
  cd "$work/$name"; mkdir -p out
  go build -trimpath -gcflags=all=-dwarf=false -ldflags "-s -w $flags" -o out/ "$@" >build.log 2>&1 ||
    { tail -5 build.log >&2; die "$name could not be built from Go modules (the end of the log is above)"; }
}
fetch() { # URL FILE: false when the address does not answer
  [ -n "$1" ] && [ "${DELIVER_LAB_DOWNLOAD:-0}" = 1 ] && curl -fsSL --connect-timeout 5 --max-time 600 -o "$2" "$1"
}
keep() { # DIR FILE...: into the cache; the folder appears only when whole
  local dir=$CACHE/bin/$1; shift
  rm -rf "$dir.part"; mkdir -p "$dir.part"
  cp "$@" "$dir.part/"; chmod 755 "$dir.part"/*; mv "$dir.part" "$dir"
}
have() { [ -d "$CACHE/bin/$1" ]; }

kubernetes() { # VERSION
  local KUBERNETES_VERSION=$1 d=kubernetes-$1 b files=() sum
  have "$d" && return
  local all=(kubeadm kubelet kubectl kube-apiserver kube-controller-manager kube-scheduler kube-proxy)
  for b in "${all[@]}"; do
    fetch "https://dl.k8s.io/$KUBERNETES_VERSION/bin/linux/$arch/$b" "$work/$b" &&
      fetch "https://dl.k8s.io/$KUBERNETES_VERSION/bin/linux/$arch/$b.sha256" "$work/$b.sha256" || break
    sum=$(cat "$work/$b.sha256"); echo "$sum  $work/$b" | sha256sum -c --status || die "$b: the sha256 differs from the published one"
    files+=("$work/$b")
  done
  if [ ${#files[@]} != ${#all[@]} ]; then
    local v=k8s.io/component-base/version minor=${KUBERNETES_VERSION#v1.}
    rm -rf "${work:?}/kubernetes"; module kubernetes k8s.io/kubernetes "$KUBERNETES_VERSION"
    # kubeadm refuses to run when it doesn't know its own version
    build kubernetes "-X $v.gitVersion=$KUBERNETES_VERSION -X $v.gitMajor=1 -X $v.gitMinor=${minor%%.*} -X $v.gitTreeState=clean" \
      "${all[@]/#/k8s.io/kubernetes/cmd/}"
    files=("$work"/kubernetes/out/*)
  fi
  keep "$d" "${files[@]}"
}
# one NAME MODULE VERSION PACKAGE URL MEMBER: a program that comes alone
one() {
  local name=$1 mod=$2 version=$3 package=$4 url=$5 member=$6
  have "$name-$version" && return
  mkdir -p "$work/$name"
  if fetch "$url" "$work/$name.tgz"; then
    case $url in *.tar.gz | *.tgz) tar -xzf "$work/$name.tgz" -C "$work/$name" --strip-components="$(tr -dc / <<<"$member" | wc -c)" "$member" ;;
      *) mv "$work/$name.tgz" "$work/$name/$name" ;; esac
    keep "$name-$version" "$work/$name/${member##*/}"
  else
    rm -rf "${work:?}/$name"; module "$name" "$mod" "$version"; build "$name" "" "$package"
    mv "$work/$name"/out/* "$work/$name/$name"    # Go names it after the last part of the package path
    keep "$name-$version" "$work/$name/$name"
  fi
}
took() { local s=$SECONDS; "$@"; [ $((SECONDS - s)) -lt 2 ] || say "$2: $((SECONDS - s)) s"; }
gh=https://github.com
say "programs: $CACHE/bin"
wanted() { [ ${#only[@]} = 0 ] || [[ " ${only[*]} " = *" $1 "* ]]; }
only=("$@")
timed_kubernetes() { local s=$SECONDS; kubernetes "$1"; [ $((SECONDS - s)) -lt 2 ] || say "kubernetes $1: $((SECONDS - s)) s"; }
! wanted kubernetes || timed_kubernetes "$KUBERNETES_VERSION"
! wanted etcd || took one etcd go.etcd.io/etcd/server/v3 "$ETCD_VERSION" go.etcd.io/etcd/server/v3 \
  "$gh/etcd-io/etcd/releases/download/$ETCD_VERSION/etcd-$ETCD_VERSION-linux-$arch.tar.gz" "etcd-$ETCD_VERSION-linux-$arch/etcd"
! wanted coredns || took one coredns github.com/coredns/coredns "$COREDNS_VERSION" github.com/coredns/coredns \
  "$gh/coredns/coredns/releases/download/$COREDNS_VERSION/coredns_${COREDNS_VERSION#v}_linux_$arch.tgz" coredns
! wanted traefik || took one traefik github.com/traefik/traefik/v3 "$TRAEFIK_VERSION" github.com/traefik/traefik/v3/cmd/traefik \
  "$gh/traefik/traefik/releases/download/$TRAEFIK_VERSION/traefik_${TRAEFIK_VERSION}_linux_$arch.tar.gz" traefik
! wanted crane || took one crane github.com/google/go-containerregistry "$CRANE_VERSION" github.com/google/go-containerregistry/cmd/crane \
  "$gh/google/go-containerregistry/releases/download/$CRANE_VERSION/go-containerregistry_Linux_x86_64.tar.gz" crane
! wanted regctl || took one regctl github.com/regclient/regclient "$REGCTL_VERSION" github.com/regclient/regclient/cmd/regctl \
  "$gh/regclient/regclient/releases/download/$REGCTL_VERSION/regctl-linux-$arch" regctl
! wanted oras || took one oras oras.land/oras "$ORAS_VERSION" oras.land/oras/cmd/oras \
  "$gh/oras-project/oras/releases/download/$ORAS_VERSION/oras_${ORAS_VERSION#v}_linux_$arch.tar.gz" oras
# Only benchmarks need it (test/bench): never part of a lab that is brought up.
[[ " ${only[*]} " != *" toxiproxy "* ]] || took one toxiproxy github.com/Shopify/toxiproxy/v2 "$TOXIPROXY_VERSION" github.com/Shopify/toxiproxy/v2/cmd/server \
  "$gh/Shopify/toxiproxy/releases/download/$TOXIPROXY_VERSION/toxiproxy-server-linux-$arch" toxiproxy
# What a site of bare hosts is made from; only built when named (bare-components.sh names them).
[ ${#only[@]} = 0 ] && exit 0
# several NAME MODULE VERSION LDFLAGS PACKAGE...: programs that come in one archive. With CGO=1 as its C parts need.
several() {
  local name=$1 mod=$2 version=$3 flags=$4 s=$SECONDS; shift 4
  have "$name-$version" && return
  rm -rf "${work:?}/$name"; module "$name" "$mod" "$version"; build "$name" "$flags" "$@"
  keep "$name-$version" "$work/$name"/out/*
  say "$name $version: $((SECONDS - s)) s"
}
! wanted kubernetes-previous || timed_kubernetes "$KUBERNETES_PREVIOUS_VERSION"
! wanted etcd-previous || took one etcd go.etcd.io/etcd/server/v3 "$ETCD_PREVIOUS_VERSION" go.etcd.io/etcd/server/v3 \
  "$gh/etcd-io/etcd/releases/download/$ETCD_PREVIOUS_VERSION/etcd-$ETCD_PREVIOUS_VERSION-linux-$arch.tar.gz" "etcd-$ETCD_PREVIOUS_VERSION-linux-$arch/etcd"
! wanted etcdctl || took one etcdctl go.etcd.io/etcd/etcdctl/v3 "$ETCD_VERSION" go.etcd.io/etcd/etcdctl/v3 "" etcdctl   # the older one can't be had alone
# it and what it needs are not in the checksum database: their sums are what the module proxy says, which will do for a lab
! wanted crictl || GONOSUMDB='sigs.k8s.io/cri-tools,k8s.io/*' several crictl sigs.k8s.io/cri-tools "$CRICTL_VERSION" \
  "-X sigs.k8s.io/cri-tools/pkg/version.Version=$CRICTL_VERSION" sigs.k8s.io/cri-tools/cmd/crictl
! wanted coredns-previous || took one coredns github.com/coredns/coredns "$COREDNS_PREVIOUS_VERSION" github.com/coredns/coredns \
  "$gh/coredns/coredns/releases/download/$COREDNS_PREVIOUS_VERSION/coredns_${COREDNS_PREVIOUS_VERSION#v}_linux_$arch.tgz" coredns
c=github.com/containerd/containerd
! wanted containerd || several containerd $c "$CONTAINERD_VERSION" "-X $c/version.Version=$CONTAINERD_VERSION -X $c/version.Package=$c" \
  $c/cmd/containerd $c/cmd/containerd-shim-runc-v2 $c/cmd/ctr
! wanted containerd-2 || several containerd $c/v2 "$CONTAINERD_2_VERSION" "-X $c/v2/version.Version=$CONTAINERD_2_VERSION -X $c/v2/version.Package=$c/v2" \
  $c/v2/cmd/containerd $c/v2/cmd/containerd-shim-runc-v2 $c/v2/cmd/ctr
if wanted runc && ! have "runc-$RUNC_VERSION"; then   # has C in it; linked whole, so that it needs no library of the host
  bash "$LAB/packages.sh" /usr/include/seccomp.h:libseccomp-dev
  export CGO_ENABLED=1 GOFLAGS="$GOFLAGS -tags=seccomp,netgo,osusergo"
  several runc github.com/opencontainers/runc "$RUNC_VERSION" "-extldflags -static -X main.version=${RUNC_VERSION#v}" github.com/opencontainers/runc
  export CGO_ENABLED=0 GOFLAGS="${GOFLAGS% -tags=*}"
fi
n=github.com/containernetworking/plugins
! wanted cni-plugins || several cni-plugins $n "$CNI_PLUGINS_VERSION" "-X $n/pkg/utils/buildversion.BuildVersion=$CNI_PLUGINS_VERSION" \
  $n/plugins/main/{bridge,host-device,ipvlan,loopback,macvlan,ptp} $n/plugins/ipam/{host-local,static} $n/plugins/meta/{bandwidth,firewall,portmap,tuning}
! wanted helm || several helm helm.sh/helm/v3 "$HELM_VERSION" "-X helm.sh/helm/v3/internal/version.version=$HELM_VERSION" helm.sh/helm/v3/cmd/helm
! wanted registry || several registry github.com/distribution/distribution/v3 "$REGISTRY_VERSION" "" github.com/distribution/distribution/v3/cmd/registry
! wanted flannel || CGO_ENABLED=1 several flannel github.com/flannel-io/flannel "$FLANNEL_VERSION" \
  "-X github.com/flannel-io/flannel/pkg/version.Version=$FLANNEL_VERSION" github.com/flannel-io/flannel   # has C in it too
! wanted local-path || several local-path github.com/rancher/local-path-provisioner "$LOCAL_PATH_VERSION" "-X main.VERSION=$LOCAL_PATH_VERSION" github.com/rancher/local-path-provisioner
exit 0
