#!/bin/bash
# Gets MinIO, the S3 server that test/integration/s3-*.test.ts run against, into the cache as bin/minio-<version>/minio.
# Built from its Go module, a few minutes when cold, nothing when warm. MinIO tags its releases by date, which the
# module proxy does not always serve; a pseudo-version always is.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/env.sh"
export GOFLAGS="-mod=mod -buildvcs=false" CGO_ENABLED=0 GOWORK=off
name=minio-$MINIO_VERSION
[ ! -x "$CACHE/bin/$name/minio" ] || { say "minio: $CACHE/bin/$name"; exit 0; }
command -v go >/dev/null || die "MinIO is built from its Go module: install Go 1.24 or newer"
mkdir -p "$CACHE/bin" "$CACHE/tmp"
exec 9>"$CACHE/minio.lock"; flock 9
[ ! -x "$CACHE/bin/$name/minio" ] || exit 0
work=$(mktemp -d "$CACHE/tmp/minio.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
go mod init lab.invalid/minio 2>/dev/null
go mod edit -require "github.com/minio/minio@$MINIO_VERSION"
go build -trimpath -gcflags=all=-dwarf=false -ldflags "-s -w" -o minio github.com/minio/minio >build.log 2>&1 ||
  { tail -5 build.log >&2; die "minio could not be built from its Go module (the end of the log is above)"; }
# The folder appears only when whole.
mkdir "$name"; mv minio "$name/"; mv "$name" "$CACHE/bin/$name"
say "minio: $CACHE/bin/$name, ${SECONDS} s"
