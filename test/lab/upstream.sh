#!/bin/bash
# The connected side: a registry on this machine's loopback that plays the upstream ones. Nothing of the site reaches it.
#   upstream.sh up     starts and fills it   (repositories: <source host>/<path>, as a pull-through mirror has them)
#   upstream.sh down   stops it; its storage goes too
# For bare hosts it also has everything that they run, and beside it a web server with the programs that hosts get.
# Its access log is one line per request: $DELIVER_LAB_DIR/upstream/access.log
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/env.sh"
U=$S/upstream
pid() { local p; p=$(cat "$U/pid" 2>/dev/null) && [ -e "/proc/$p" ] && grep -q docker-registry "/proc/$p/cmdline" && echo "$p"; }
web_pid() { local p; p=$(cat "$U/web.pid" 2>/dev/null) && [ -e "/proc/$p" ] && grep -q http.server "/proc/$p/cmdline" && echo "$p"; }
down() {
  local p i
  if p=$(web_pid); then kill "$p"; fi
  if p=$(pid); then kill "$p"; for i in $(seq 50); do [ -e "/proc/$p" ] || break; sleep 0.1; done; fi
  cg_kill dlv-upstream; rm -rf "$U"
}
fill() { # LAYOUT: every image of it into the registry
  local ref
  while read -r ref; do
    skopeo copy -q --insecure-policy --all --dest-tls-verify=false "oci:$1:$ref" "docker://$UPSTREAM/$ref" </dev/null
  done < <(python3 -c 'import json,sys; [print(m["annotations"]["org.opencontainers.image.ref.name"]) for m in json.load(sys.stdin)["manifests"]]' <"$1/index.json")
}
up() {
  pid >/dev/null && return
  # `bash -c exec` and not a tool: only whether someone listens there already matters
  ! (exec 3<>"/dev/tcp/${UPSTREAM%:*}/${UPSTREAM#*:}") 2>/dev/null || die "something else listens on $UPSTREAM"
  bash "$LAB/base.sh"; bash "$LAB/images.sh"
  mkdir -p "$U/storage"
  cat >"$U/config.yml" <<C
version: 0.1
log: {level: warn}
storage:
  filesystem: {rootdirectory: $U/storage}
  delete: {enabled: true}
http: {addr: "$UPSTREAM"}
C
  ( cg_enter dlv-upstream; exec setsid "$BASE/usr/bin/docker-registry" serve "$U/config.yml" </dev/null >>"$U/access.log" 2>"$U/error.log" ) &
  echo $! >"$U/pid"
  wait_for 20 "the upstream registry (see $U/error.log)" curl -fsS "http://$UPSTREAM/v2/"
  fill "$(images_dir)/upstream"
  if [ "$MODE" = bare ]; then
    bash "$LAB/bare-components.sh"; harbor_components; bash "$LAB/bare-images.sh"
    fill "$(bare_images_dir)"
    ( cg_enter dlv-upstream; exec setsid python3 -m http.server --bind "${COMPONENTS%:*}" --directory "$(components_dir)" "${COMPONENTS#*:}" </dev/null >>"$U/web.log" 2>&1 ) &
    echo $! >"$U/web.pid"
    wait_for 20 "the web server (see $U/web.log)" curl -fsS -o /dev/null "http://$COMPONENTS/"
  fi
  : >"$U/access.log"   # what follows is what the packager asked for
}
case ${1:-} in up) need_root; up ;; down) need_root; down ;; *) die "usage: upstream.sh up|down" ;; esac
