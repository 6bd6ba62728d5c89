#!/bin/sh
# `npm run demo`: the main job of deliver, told step by step. As root on Linux on the lab (test/lab), anywhere else on
# registries in memory. Starts on whatever Node the machine has; everything after this file runs on the project's own.
#   DELIVER_DEMO_KEEP=1       the lab stays up at the end, for a look around
#   DELIVER_DEMO_EMBEDDED=1   the part without a lab, as root too
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cd "$here/../.."
stop() { printf '\n✖ %s\n' "$1" >&2; shift; [ $# = 0 ] || printf '  fix    %s\n' "$@" >&2; exit 1; }

command -v node >/dev/null || stop 'There is no Node.js here.' 'install Node 20 or newer with npm: the project brings the rest'
if ! node "$here/installed.js"; then
  command -v npm >/dev/null || stop 'There is no npm here.' 'install Node 20 or newer with npm: the project brings the rest'
  [ -w . ] || stop "node_modules is missing or not what package-lock.json says, and $(id -un) may not write to $(pwd)." \
    'run npm ci there as its owner, or make a copy of your own'
  # npm ci empties the folder first, and this one belongs to another tree
  [ ! -L node_modules ] || stop "node_modules is a link to $(readlink node_modules), and not what package-lock.json says." \
    'run npm ci where it belongs to, or remove the link'
  echo 'Getting what deliver is built from (npm ci), a minute or two …'
  if ! npm ci --no-audit --no-fund --loglevel=error; then
    ! node "$here/installed.js" || stop 'All packages are there, but deliver could not be built; what the compiler said is above.'
    stop 'npm ci did not finish; what it said is above.' \
      'npm must reach its registry: see npm config get registry, and the proxy settings'
  fi
fi
PATH=$(pwd)/node_modules/.bin:$PATH
export PATH
if [ ! -e dist/cli/main.js ] || [ -n "$(find src -name '*.ts' -newer dist/cli/main.js | head -n 1)" ]; then
  if [ -w . ]; then
    echo 'Building deliver (npm run build) …'
    npm run --silent build || stop 'deliver could not be built; what the compiler said is above.'
  else
    [ -e dist/cli/main.js ] || stop "deliver is not built, and $(id -un) may not write to $(pwd)." 'run npm run build there as its owner'
  fi
fi

if [ "${DELIVER_DEMO_EMBEDDED:-0}" = 1 ]; then why='as asked for by DELIVER_DEMO_EMBEDDED=1'
elif [ "$(uname -s)" != Linux ]; then why="the lab needs Linux, this is $(uname -s)"
elif [ "$(id -u)" != 0 ]; then why="the lab needs root, this is $(id -un 2>/dev/null || id -u)"
else exec node "$here/lab.ts"; fi
DELIVER_DEMO_WHY=$why exec node "$here/embedded.ts"
