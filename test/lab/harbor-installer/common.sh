#!/bin/bash
# Sourced by install.sh. As in the real one `tput` decides about colours, so a terminal's name must be set.
set +e
set -o noglob
bold=$(tput bold); reset=$(tput sgr0); green=$(tput setaf 76)
h2() { printf '\n%s%s%s\n' "$bold" "$*" "$reset"; }
success() { printf '%s%s%s\n' "$green" "$*" "$reset"; }
set -e
check_docker() {
  docker --version >/dev/null 2>&1 || { echo "Need to install docker(20.10.10+) first and run this script again."; exit 1; }
  [[ $(docker --version) =~ ([0-9]+)\.([0-9]+) ]] || { echo "Failed to parse docker version."; exit 1; }
  [ "${BASH_REMATCH[1]}" -ge 18 ] || { echo "Need to upgrade docker package to 20.10.10+."; exit 1; }
}
check_dockercompose() {
  if docker compose version >/dev/null 2>&1; then DOCKER_COMPOSE="docker compose"
  elif docker-compose --version >/dev/null 2>&1; then DOCKER_COMPOSE="docker-compose"
  else echo "Need to install docker-compose(1.18.0+) or a docker-compose-plugin first and run this script again."; exit 1; fi
}
