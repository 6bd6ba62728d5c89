import { hexOf } from '../../core/digest.ts';
import { shellQuote } from '../../ssh/shell-quote.ts';
import { hostsFileWith } from './names.ts';
import { componentText, recordedOf, type HostPlan, type PlannedComponent } from './plan.ts';
import { journalPath, recordPath } from './record.ts';
import { HOST_LOCK, HOST_SHELL } from './shell.ts';
import { incomingPath, STAGE_PREFIX, STAGE_TOOLS, stageFolders, stageWords } from './stage.ts';
import type { HostState } from './state.ts';
import type { HostWish, WishedUnit } from './wish.ts';

const TOOLS = String.raw`
changed=; placed=; fresh=
# j LINE: into the journal first, so that it is known on the host whatever becomes of us
j() { printf '%s\n' "$1" >>"$journal" || fail "$journal can't be written"; printf '%s\n' "$1"; }
# due NAME: units that run with it must start anew; said before it is changed
due() { [ -z "$deps" ] || printf '%s\n' "$deps" | while IFS=' ' read -r u d; do [ "$d" != "$1" ] || j "due=$u" || exit 1; done || exit 1; }
keep() {
  in_list "$ours" "$1" && return 0
  # A lost record must not make deliver's own file somebody else's.
  first=; IFS= read -r first <"$1" 2>/dev/null || :
  case $first in '# written by deliver'*) return 0;; esac
  if [ ! -e "$1.before-deliver" ]; then
    cp -p -- "$1" "$1.before-deliver.part" && mv -f -- "$1.before-deliver.part" "$1.before-deliver" || fail "$1 can't be kept"
    echo "note=$1 was not deliver's; the old one is kept as $1.before-deliver"
  fi
  j "kept=$1"
}
# put STAGED TARGET MODE NAME FROM [SHA256]: in one move, and only when it is another content
put() {
  new=${'$'}{6:-$(sum "$1")}; [ -n "$new" ] || fail "$1 can't be read"
  chmod "$3" "$1"
  if [ -f "$2" ] && [ "$(stat -c %s "$2")" = "$(stat -c %s "$1")" ] && [ "$(sum "$2")" = "$new" ]; then
    [ "$(stat -c %a "$2")" = "$3" ] || { due "$4"; chmod "$3" "$2"; changed="$changed$nl$4"; }
    [ ! -e "$2.before-deliver" ] || j "kept=$2"
    j "file=$new $(stat -c '%s %Y' "$2") $5 $2"
    rm -f -- "$1"
  else
    [ ! -e "$2" ] || keep "$2"
    due "$4"
    # A move changes neither: the line is true as soon as it is there.
    j "file=$new $(stat -c '%s %Y' "$1") $5 $2"
    mv -f -- "$1" "$2" 2>"$err" || fail "$2: $(said)"
    if command -v restorecon >/dev/null 2>&1; then restorecon -F "$2" 2>/dev/null; fi
    changed="$changed$nl$4"; fresh="$fresh$nl$2"
    j "changed=$2"
  fi
  placed="$placed$nl$2"
}
# small TARGET MODE CONTENT
small() {
  mkdir -p -- "$(dirname "$1")"
  t="$1.deliver-new"; (umask 077; printf '%s' "$3" >"$t") 2>"$err" || fail "$1: $(said)"
  put "$t" "$1" "$2" "$1" -
}
# unpack BLOB INTO ROOT NAME ONLY STAGE FROM: staged already when it arrived, or now
unpack() {
  [ -f "$6.list" ] || stage "$@"
  top_of "$6" "$3" "$4"
  while IFS= read -r l; do
    f=${'$'}{l#*  ./}
    case $f in */*) [ -d "$2/${'$'}{f%/*}" ] || mkdir -p -- "$2/${'$'}{f%/*}";; esac
    [ -x "$top/$f" ] && m=755 || m=644
    put "$top/$f" "$2/$f" "$m" "$4" "$7" "${'$'}{l%% *}"
  done <"$6.list"
  rm -rf -- "$6" "$6.list"
}
# gone PATH NAME: what an older version of a component had
gone() { in_list "$placed" "$1" || { due "$2"; rm -f -- "$1"; j "gone=$1"; changed="$changed$nl$2"; }; }
run_unit() {
  systemctl "$1" "$2" >"$err" 2>&1 && return 0
  systemctl status --no-pager -n 8 "$2" 2>&1 | tail -n 8 | sed 's/^/log=/'
  fail "$2 did not start: $(said)"
}
# unit NAME WANTED ON CHECK
unit() {
  if [ "$(systemctl is-enabled "$1" 2>/dev/null)" != enabled ]; then
    systemctl enable -q "$1" 2>"$err" || fail "$1 can't be enabled: $(said)"; j "changed=$1"
  fi
  [ "$2" = running ] || return 0
  act=
  systemctl is-active -q "$1" || act=start
  if [ -z "$act" ] && in_list "$pending" "$1"; then act=restart; fi
  old=$IFS; IFS=$nl; set -f
  for w in $3; do if in_list "$changed" "$w" && [ -z "$act" ]; then act=restart; fi; done
  IFS=$old; set +f
  [ -n "$act" ] || return 0
  run_unit $act "$1"; echo "ran=$act $1"
  [ -n "$4" ] || { j "settled=$1"; return 0; }
  i=0; until eval "$4" >"$err" 2>&1; do i=$((i + 1)); [ $i -lt 50 ] || fail "$1 runs, but it can't work: $(said)"; sleep 0.2; done
  j "settled=$1"
}
load() {
  [ ! -d "/sys/module/$1" ] || return 0
  j "setting=module $1|"
  if modprobe "$1" 2>"$err"; then j "changed=module $1"; return 0; fi
  [ "$1" = br_netfilter -a -d /proc/sys/net/bridge ] ||
  grep -qs "/$1\.ko" "/lib/modules/$(uname -r)/modules.builtin" || grep -qs "[^a-z]$1$" /proc/filesystems || fail "kernel module $1 can't be loaded: $(said)"
}
# sysctl_set KEY VALUE OPTIONAL
sysctl_set() {
  f=/proc/sys/$(printf %s "$1" | tr . /); before=$(cat "$f" 2>/dev/null)
  j "setting=sysctl $1|$before|$2"
  if printf '%s\n' "$2" 2>/dev/null >"$f"; then j "changed=sysctl $1"
  elif [ -n "$3" ]; then echo "note=$1 stays $before: it can't be set there (wanted $2)"
  else fail "$1 can't be set to $2 (it is ${'$'}{before:-not there})"; fi
}
# settle: to the disk, behind everybody's back; a power cut before that leaves other sizes than the record has
settle() {
  old=$IFS; IFS=$nl; set -f
  [ -z "$fresh" ] || (sync "$journal" $fresh >/dev/null 2>&1 || sync) >/dev/null 2>&1 9>&- &
  IFS=$old; set +f
}
umask 022
# What is known under the lock: a run beside this one may have done its work since the look.
for f in record journal; do eval "p=\$$f"; [ ! -s "$p" ] || echo "$f=$(base64 <"$p" | tr -d '\n')"; done
err=$(mktemp "$state/said.XXXXXX") || fail "$state can't be written"
trap 'rm -f "$err"' EXIT
j component=
`;

/** A script for `RUN_INPUT` that does all of a plan but the transfers, and says what it did in lines that `readPlaced` knows. */
export function placeScript(plan: HostPlan, run: string): string {
  const { state, wish } = plan;
  const ours = Object.keys(state.record.files);
  return [
    HOST_SHELL,
    `state=${shellQuote(wish.stateFolder)}`,
    `record=${shellQuote(recordPath(wish.stateFolder))}`,
    `journal=${shellQuote(journalPath(wish.stateFolder))}`,
    HOST_LOCK,
    `ours=${shellQuote(ours.join('\n'))}`,
    `deps=${shellQuote(plan.units.flatMap(dependencyLines).join('\n'))}`,
    `pending=${shellQuote(state.record.due.join('\n'))}`,
    STAGE_TOOLS,
    TOOLS,
    ...plan.units.flatMap((unit) => unitBefore(unit, state)),
    ...(state.corrupt ? [SET_ASIDE] : []),
    ...plan.components.flatMap((component) => componentLines(component, plan, run)),
    // What runs that were killed had unpacked and not placed.
    ...stageFolders(plan.components).map((folder) => `rm -rf -- ${shellQuote(folder)}/${STAGE_PREFIX}*`),
    ...plan.files
      // What is right already is written down again where the record was lost.
      .filter(({ done }) => !done || state.corrupt)
      .map(({ path, mode, content }) => `small ${shellQuote(path)} ${mode.toString(8)} ${shellQuote(content)}`),
    ...settingLines(wish, plan),
    'settle',
    ...(plan.units.length === 0 ? [] : ['systemctl daemon-reload 2>"$err" || fail "systemctl daemon-reload: $(said)"']),
    ...plan.units.map(unitLine),
    'echo done=yes',
  ].join('\n');
}

const SET_ASIDE =
  'mv -f "$state/host.json" "$state/host.json.corrupt"; echo "note=the record there could not be read; it is kept as $state/host.json.corrupt"';

function componentLines(component: PlannedComponent, { state, wish }: HostPlan, run: string): string[] {
  const { layout, blob, name } = component;
  const blobPath = shellQuote(incomingPath(component, wish));
  const from = blob.digest;
  const label = shellQuote(name);
  const obsolete = recordedOf(name, state).map(([path]) => `gone ${shellQuote(path)} ${label}`);
  const place =
    layout.kind === 'program'
      ? `put ${blobPath} ${shellQuote(layout.path)} 755 ${label} ${from} ${hexOf(from)}`
      : `unpack ${stageWords(component, layout, wish, run)} ${from}`;
  return [`j ${shellQuote(`component=${componentText(component)}`)}`, place, ...obsolete, `rm -f -- ${blobPath}`, 'j component='];
}

function settingLines(wish: HostWish, { state }: HostPlan): string[] {
  const lines = wish.modules.filter((name) => !state.modules.has(name)).map((name) => `load ${shellQuote(name)}`);
  for (const { key, value, atLeast, optional } of wish.sysctls) {
    const found = state.sysctls.get(key);
    const fine = found !== undefined && (atLeast === true ? Number(found) >= value : Number(found) === value);
    if (!fine) lines.push(`sysctl_set ${shellQuote(key)} ${String(value)} ${optional === true ? 'optional' : "''"}`);
  }
  if (wish.swapOff && state.swap > 0)
    lines.push(
      `j "setting=swap|$(awk 'NR > 1 { printf "%s ", $1 }' /proc/swaps)"`,
      'swapoff -a 2>"$err" || fail "swap can\'t be turned off: $(said)"; j "changed=swap"',
    );
  if (wish.swapOff && state.fstabSwap > 0) {
    lines.push(
      'keep /etc/fstab; j "setting=fstab|swap"',
      `awk '$1 !~ /^#/ && $3 == "swap" { print "# deliver: " $0; next } { print }' /etc/fstab >/etc/fstab.deliver-new && cat /etc/fstab.deliver-new >/etc/fstab && rm -f /etc/fstab.deliver-new`,
      'j "changed=fstab"',
    );
  }
  const hosts = wish.hostsLines === undefined ? state.hostsFile : hostsFileWith(state.hostsFile, wish.hostsLines);
  if (hosts !== state.hostsFile) {
    lines.push(
      'keep /etc/hosts; j "setting=/etc/hosts|"',
      // Written in place: where the file is a mount of its own it can't be replaced.
      `printf '%s' ${shellQuote(hosts)} 2>"$err" >/etc/hosts || fail "/etc/hosts: $(said)"`,
      'j "changed=/etc/hosts"',
    );
  }
  return lines;
}

function unitLine({ name, wanted, restartOn, check }: WishedUnit): string {
  return `unit ${shellQuote(name)} ${wanted} ${shellQuote(restartOn.join('\n'))} ${shellQuote(check ?? '')}`;
}

/** `containerd.service /etc/containerd/config.toml`: what `due` looks through. */
function dependencyLines({ name, wanted, restartOn }: WishedUnit): string[] {
  return wanted === 'running' ? restartOn.map((on) => `${name} ${on}`) : [];
}

/** What a unit was before deliver's first hand on it; of one whose file came with an earlier run that is no longer known. */
function unitBefore({ name }: WishedUnit, { record, units }: HostState): string[] {
  if (record.units.some((unit) => unit.name === name) || `/etc/systemd/system/${name}` in record.files) return [];
  const { enabled = false, active = false } = units.get(name) ?? {};
  return [`j ${shellQuote(`unit=${name}|${enabled ? 'yes' : 'no'}|${active ? 'yes' : 'no'}`)}`];
}
