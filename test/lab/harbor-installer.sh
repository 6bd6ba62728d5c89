#!/bin/bash
# Makes what the connected side publishes for a Harbor on a bare host, and puts it below the folder of its web server:
#   goharbor/harbor/releases/download/<v>/harbor-offline-installer-<v>.tgz (+ md5sum)   a stand-in of the same shape: install.sh,
#       prepare, common.sh, harbor.yml.tmpl and images, in which the lab's Harbor front and a real registry run
#   download.docker.com/linux/static/stable/x86_64/docker-<v>.tgz   Debian's dockerd and docker with the lab's containerd and
#       runc, laid out as upstream's (that one can't be had here)
#   docker/compose/releases/download/<v>/docker-compose-linux-x86_64   built from its Go module
# In the cache, keyed by everything that goes into them. Names and versions are its own: versions.sh is part of other keys.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/env.sh"
need_root
HARBOR_VERSIONS="v2.13.2 v2.14.0"
DOCKER_VERSION=20.10.24
COMPOSE_VERSION=v2.39.2
H=$LAB/harbor-installer
NODE=$REPO/node_modules/node/bin/node
MODULES="undici yaml ajv ajv-formats fast-uri fast-deep-equal json-schema-traverse require-from-string jose"
key=$( (cat "$0" "$H"/* "$LAB"/harbor/*.ts "$LAB"/harbor/memory/*.ts "$REPO/test/fixtures/harbor-openapi.yaml"; "$NODE" --version
  for m in $MODULES; do cat "$REPO/node_modules/$m/package.json"; done) | sha256sum | cut -c1-12)
dir=$CACHE/harbor-$key
exec 9>"$CACHE/harbor.lock"; flock 9

stage() { # FOLDER: what is in the images
  local r=$1 m lib
  mkdir -p "$r/usr/bin" "$r/harbor/fixtures" "$r/harbor/lab" "$r/node_modules" "$r/tmp"
  cp "$NODE" "$r/usr/bin/node"; cp "$CACHE/bin/registry-$REGISTRY_VERSION/registry" "$r/usr/bin/"
  # Paths between these files are as in the repository: <root>/lab/harbor and <root>/fixtures.
  cp -r "$LAB/harbor" "$r/harbor/lab/"; mkdir "$r/harbor/lab/harbor-installer"; cp "$H"/*.ts "$r/harbor/lab/harbor-installer/"
  cp "$REPO/test/fixtures/harbor-openapi.yaml" "$r/harbor/fixtures/"; echo '{"type":"module"}' >"$r/harbor/package.json"
  ln -s lab/harbor-installer "$r/harbor/harbor-installer"
  for m in $MODULES; do cp -r "$REPO/node_modules/$m" "$r/node_modules/"; done
  for lib in $(ldd "$NODE" | grep -o '/[^ ]*'); do mkdir -p "$r$(dirname "$lib")"; cp -L "$lib" "$r$lib"; done
}
docker_archive() { # FILE: kept apart, for its packages come from Debian
  local b=$CACHE/bin/docker-$DOCKER_VERSION-$CONTAINERD_VERSION-$RUNC_VERSION
  if [ ! -d "$b" ]; then mkdir -p "$b.part"; make_docker_archive "$b.part/docker.tgz"; mv "$b.part" "$b"; fi
  mkdir -p "${1%/*}"; cp "$b/docker.tgz" "$1"
}
make_docker_archive() { # FILE
  local w=$1.stage p
  rm -rf "$w"; mkdir -p "$w/deb/x" "$w/docker"
  (cd "$w/deb"; for p in docker.io tini; do timeout 300 apt-get -qq download "$p" 2>/dev/null; done; for p in *.deb; do dpkg -x "$p" x; done)
  cp "$w"/deb/x/usr/bin/docker "$w"/deb/x/usr/sbin/{dockerd,docker-proxy} "$w/docker/"; cp "$w/deb/x/usr/bin/tini-static" "$w/docker/docker-init"
  cp "$CACHE/bin/containerd-$CONTAINERD_VERSION"/* "$CACHE/bin/runc-$RUNC_VERSION/runc" "$w/docker/"
  tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf - -C "$w" docker | gzip -1n >"$1"; rm -rf "$w"
}
compose() { # FILE: kept apart, it takes a minute
  local b=$CACHE/bin/docker-compose-$COMPOSE_VERSION
  if [ ! -d "$b" ]; then
    local w; w=$(mktemp -d); mkdir -p "$b.part"
    (cd "$w"; export GOFLAGS="-mod=mod -buildvcs=false" CGO_ENABLED=0 GOWORK=off
      go mod init lab.invalid/compose 2>/dev/null; go mod edit -require "github.com/docker/compose/v2@$COMPOSE_VERSION"
      go build -trimpath -ldflags "-s -w -X github.com/docker/compose/v2/internal.Version=$COMPOSE_VERSION" -o "$b.part/docker-compose" github.com/docker/compose/v2/cmd >log 2>&1 ||
        { tail -5 log >&2; die "docker compose could not be built from Go modules"; })
    rm -rf "$w"; mv "$b.part" "$b"
  fi
  mkdir -p "${1%/*}"; cp "$b/docker-compose" "$1"
}
if [ ! -d "$dir" ]; then
  part=$dir.part; rm -rf "$part"; mkdir -p "$part"
  bash "$LAB/binaries.sh" registry containerd runc
  docker_archive "$part/download.docker.com/linux/static/stable/x86_64/docker-$DOCKER_VERSION.tgz"
  f=$part/github.com/docker/compose/releases/download/$COMPOSE_VERSION/docker-compose-linux-x86_64; compose "$f"
  (cd "${f%/*}" && sha256sum "${f##*/}" >"${f##*/}.sha256")
  stage "$part/image"
  for v in $HARBOR_VERSIONS; do
    w=$part/installer/harbor; mkdir -p "$w"
    for p in install.sh common.sh prepare harbor.yml.tmpl; do sed "s/@VERSION@/$v/; s/@MINOR@/$(cut -d. -f1,2 <<<"${v#v}")/" "$H/$p" >"$w/$p"; done
    chmod 755 "$w/install.sh" "$w/prepare"; echo "The lab's stand-in; see the repository." >"$w/LICENSE"
    python3 "$H/image.py" "$w/harbor.$v.tar.gz" "$part/image" "$v"
    f=$part/github.com/goharbor/harbor/releases/download/$v/harbor-offline-installer-$v.tgz; mkdir -p "${f%/*}"
    tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf - -C "$part/installer" harbor | gzip -1n >"$f"
    (cd "${f%/*}" && md5sum "${f##*/}" >md5sum); rm -rf "$part/installer"
  done
  rm -rf "$part/image"; mv "$part" "$dir"
  for old in "$CACHE"/harbor-*; do case $old in "$dir" | *.lock) ;; *) rm -rf "$old" ;; esac; done
fi
# Beside what bare-components.sh made; hard links, so that it costs nothing.
[ ! -d "$(components_dir)" ] || cp -alf "$dir"/. "$(components_dir)/"
say "harbor: $dir"
