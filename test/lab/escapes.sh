#!/bin/bash
# Prints how many packets tried to leave the site since the lab came up, or since `--reset`. `--list` says which:
# one line per source, destination, protocol and port (up to 4096 of them).
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/env.sh"
sw() { nsenter --net=/run/netns/dlvsw nft "$@"; }
case ${1:-} in
  --reset) sw reset counters table bridge lab >/dev/null; sw flush set bridge lab who ;;
  --list) sw list set bridge lab who | grep -o '[0-9.]* \. [0-9.]* \. [a-z0-9]* \. [a-z0-9-]* counter packets [0-9]*' || true ;;
  '') sw list counter bridge lab escaped | sed -n 's/.*packets \([0-9]*\).*/\1/p' ;;
  *) die "usage: escapes.sh [--list | --reset]" ;;
esac
