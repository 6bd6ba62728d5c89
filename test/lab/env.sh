# Shared by every script of the lab: addresses, folders, small helpers. Sourced, never run.
LAB=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
REPO=$(readlink -f "$LAB/../..")
. "$LAB/versions.sh"
S=${DELIVER_LAB_DIR:-/var/tmp/deliver-lab}
CACHE=${DELIVER_LAB_CACHE:-$HOME/.cache/deliver-lab}
SITE=$S/site
RUN=$S/run

say() { printf '%s\n' "$*"; }
die() { printf 'lab: %s\n' "$*" >&2; exit 1; }
