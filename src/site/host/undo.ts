import { hexOf } from '../../core/digest.ts';
import { shellQuote } from '../../ssh/shell-quote.ts';
import { ETCD_PKI, ETCD_UNIT } from '../etcd/files.ts';
import { HARBOR_MARK } from '../harbor/state.ts';
import { hostsFileWith } from './names.ts';
import { journalPath, recordPath, type HostRecord, type RecordedFile } from './record.ts';
import { HOST_LOCK, HOST_SHELL } from './shell.ts';
import { STAGE_PREFIX } from './stage.ts';
import { MIRROR_MARK } from '../mirrors/files.ts';
import { HARBOR_CURRENT, UNIT_FOLDER } from '../registry/paths.ts';
import { DOCKER_FOLDER } from '../runtime/units.ts';

/** What is to be undone on a host, as a look found it. */
export interface UndoPlan {
  readonly stateFolder: string;
  readonly record: HostRecord;
  /** /etc/hosts as it is. */
  readonly hostsFile: string;
  /** Folders with data whose removal was asked for, by name. */
  readonly data: readonly string[];
}

/** What runs on another is stopped before it. */
const STOP_ORDER = ['kubelet', 'deliver-harbor', 'deliver-dns', 'deliver-registry', 'docker', 'containerd'];

const TOOLS = String.raw`
fail() { echo "fail=$1"; exit 1; }
said() { tail -n 1 "$err"; }
err=$(mktemp /tmp/deliver-undo.XXXXXX) || fail "/tmp can't be written"
trap 'rm -f "$err"' EXIT
has() { command -v "$1" >/dev/null 2>&1; }
ours() { IFS= read -r first <"$1" 2>/dev/null || return 1; case $first in '# written by deliver'*|'# Written by deliver'*) return 0;; esac; return 1; }
# tidy PATH: folders that nothing is in any more, but for those that every system has
tidy() {
  d=$(dirname "$1")
  while :; do
    case $d in /|/etc|/opt|/srv|/usr|/usr/*bin|/usr/local|/usr/local/*bin|/usr/local/lib|/var|/var/lib|/etc/systemd|/etc/systemd/system|/etc/sysctl.d|/etc/modules-load.d|/etc/cni|/etc/cni/net.d) return 0;; esac
    rmdir "$d" 2>/dev/null || return 0
    d=$(dirname "$d")
  done
}
# stop UNIT KEPT: unless what others had there is back already
stop() {
  has systemctl || return 0
  if [ -n "$2" ] && [ ! -e "$2" ]; then return 0; fi
  was=$(systemctl is-active "$1" 2>/dev/null)
  on=$(systemctl is-enabled "$1" 2>/dev/null)
  [ "$on" != enabled ] || systemctl disable -q "$1" 2>"$err" || fail "$1 can't be disabled: $(said)"
  if [ "$was" = active ] || [ "$was" = activating ] || [ "$was" = reloading ]; then
    systemctl stop "$1" 2>"$err" || fail "$1 can't be stopped: $(said)"
    echo "stopped=$1"
  fi
  systemctl reset-failed "$1" 2>/dev/null || :
}
# harbor_down FOLDER: a reset that was cut off after it stopped Docker, or a Docker that is broken, must not hold up the rest
harbor_down() {
  docker info >/dev/null 2>&1 || systemctl start docker.service >/dev/null 2>&1
  if docker info >/dev/null 2>&1; then (cd "$1" && docker compose down >"$err" 2>&1) || fail "Harbor can't be stopped: $(said)"
  else echo "note=Docker does not run: Harbor's containers were not removed, and come back with it"; fi
}
# back PATH SHA256 KEPT
back() {
  rm -f -- "$1.deliver-new" "$1.deliver-new.part"
  if [ -n "$3" ] && [ ! -e "$3" ]; then return 0; fi
  if [ -f "$1" ] && [ "$(sum "$1")" != "$2" ] && ! ours "$1"; then
    mv -f -- "$1" "$1.after-deliver" || fail "$1 can't be moved"
    echo "note=$1 was changed since deliver wrote it; that one is kept as $1.after-deliver"
  fi
  if [ -n "$3" ]; then mv -f -- "$3" "$1" 2>"$err" || fail "$1: $(said)"; echo "back=$1"
  elif [ -e "$1" ]; then rm -f -- "$1" 2>"$err" || fail "$1: $(said)"; echo "gone=$1"; fi
  tidy "$1"
}
# mark PATH: a file that only its first line tells to be deliver's
mark() {
  ours "$1" || return 0
  if [ -e "$1.before-deliver" ]; then mv -f -- "$1.before-deliver" "$1" || fail "$1 can't be put back"; echo "back=$1"
  else rm -f -- "$1" || fail "$1 can't be removed"; echo "gone=$1"; fi
  tidy "$1"
}
# again PATH: a file that was edited in place, and is as it was: its copy has done its duty
again() {
  [ -e "$1.before-deliver" ] || return 0
  if [ "$(cat "$1")" = "$(cat "$1.before-deliver")" ]; then cat "$1.before-deliver" >"$1"; rm -f -- "$1.before-deliver"
  else echo "note=$1 was changed since; the one from before deliver is kept as $1.before-deliver"; fi
}
# unset KEY BEFORE SET
unset_sysctl() {
  f=/proc/sys/$(printf %s "$1" | tr . /); now=$(cat "$f" 2>/dev/null) || return 0
  [ "$now" != "$2" ] || return 0
  if [ -n "$3" ] && [ "$now" != "$3" ]; then echo "note=$1 is $now, neither what deliver set nor what was there: it stays"; return 0; fi
  if printf '%s\n' "$2" 2>/dev/null >"$f"; then echo "back=sysctl $1"; else echo "note=$1 stays $now: it can't be set there"; fi
}
unload() {
  [ -d "/sys/module/$1" ] || return 0
  if modprobe -r "$1" 2>/dev/null; then echo "back=module $1"; else echo "note=kernel module $1 is in use; it is gone after the next boot"; fi
}
# empty FOLDER: its content only, it may be a mount; nothing of another file system
empty() {
  [ -d "$1" ] || return 0
  [ -n "$(ls -A "$1")" ] || { rmdir "$1" 2>/dev/null; return 0; }
  find "$1" -xdev -mindepth 1 -delete 2>"$err" || fail "$1 can't be emptied: $(said)"
  rmdir "$1" 2>/dev/null || :
  echo "gone=$1"
}
`;

/**
 * A script for `RUN_INPUT` that puts everything of the record back. Every part of it may run again, and the record goes last: one
 * that was cut off is gone on with by the same command.
 */
export function undoScript({ stateFolder, record, hostsFile, data }: UndoPlan): string {
  const units = unitsOf(record);
  const settings = record.settings.map(({ name, before = '', set = '' }) => settingLine(name, before, set));
  return [
    HOST_SHELL,
    `state=${shellQuote(stateFolder)}`,
    HOST_LOCK,
    TOOLS,
    // Its containers would go on without Docker, and come back with it.
    `if has docker && [ -d ${HARBOR_CURRENT}/harbor ]; then harbor_down ${HARBOR_CURRENT}/harbor; fi`,
    `rm -f -- ${HARBOR_MARK}`,
    `! ours ${ETCD_UNIT} || stop etcd.service ''`,
    ...units.map(({ name, kept }) => `stop ${shellQuote(name)} ${shellQuote(kept)}`),
    ...Object.entries(record.files).map(
      ([path, file]) => `back ${shellQuote(path)} ${hexOf(file.digest)} ${shellQuote(keptOf(file))}`,
    ),
    `if ours ${ETCD_UNIT}; then rm -f ${ETCD_UNIT}; echo "gone=${ETCD_UNIT}"; fi; if [ -d ${ETCD_PKI} ]; then rm -rf ${ETCD_PKI}; tidy ${ETCD_PKI}; echo "gone=${ETCD_PKI}"; fi`,
    `for f in ${MIRROR_FILES}; do [ ! -f "$f" ] || mark "$f"; done`,
    ...hostsLines(hostsFile),
    ...settings,
    // Before the units of others run again: theirs may keep their data in the same folder.
    ...data.map((folder) => `empty ${shellQuote(folder)}`),
    ...afterLines(record, units),
    `rm -rf -- /usr/local/bin/${STAGE_PREFIX}* /opt/cni/bin/${STAGE_PREFIX}* ${DOCKER_FOLDER}/${STAGE_PREFIX}*`,
    'rm -rf /run/deliver "$state/incoming"; rm -f "$state"/said.* "$state/host.json.corrupt" "$state/mirrors-due"',
    `rm -f -- ${shellQuote(journalPath(stateFolder))} ${shellQuote(recordPath(stateFolder))} "$state/lock"`,
    'rmdir "$state" 2>/dev/null',
    'echo done=yes',
  ].join('\n');
}

/** Files that no record names: `mirrors.ts` writes them, and knows them by their first line. */
export const MIRROR_FILES =
  '/etc/containerd/certs.d/*/hosts.toml /etc/containerd/certs.d/deliver-*-ca.crt /etc/containers/registries.conf.d/50-deliver.conf /etc/containers/certs.d/*/ca.crt /etc/rancher/k3s/registries.yaml /etc/rancher/rke2/registries.yaml /etc/rancher/k3s/deliver-ca.crt /etc/rancher/rke2/deliver-ca.crt';

/** A shell test whether `f` is a file with that first line. */
export const IS_MIRROR = `[ -f "$f" ] && [ "$(head -n 1 "$f")" = ${shellQuote(MIRROR_MARK)} ]`;

interface UndoneUnit {
  readonly name: string;
  readonly kept: string;
}

/** Units whose files deliver wrote, what runs on others first. */
function unitsOf({ files, units }: HostRecord): UndoneUnit[] {
  const written = Object.keys(files)
    .filter((path) => path.startsWith(`${UNIT_FOLDER}/`) && path.endsWith('.service'))
    .map((path) => path.slice(UNIT_FOLDER.length + 1));
  const names = new Set([...written, ...units.map(({ name }) => name)].filter((name) => !name.includes('/')));
  const rank = (name: string): number => {
    const at = STOP_ORDER.indexOf(name.replace(/\.service$/, ''));
    return at < 0 ? 0 : at;
  };
  return [...names]
    .map((name) => ({ name, kept: keptOf(files[`${UNIT_FOLDER}/${name}`]) }))
    .toSorted((a, b) => rank(a.name) - rank(b.name));
}

function keptOf(file: RecordedFile | undefined): string {
  return file?.kept ?? '';
}

/** Units of others are what they were before deliver put its own in their place. */
function afterLines({ units }: HostRecord, undone: readonly UndoneUnit[]): string[] {
  const before = units.filter(({ enabled, active }) => enabled || active);
  return [
    ...(undone.length === 0
      ? []
      : ['! has systemctl || systemctl daemon-reload 2>"$err" || fail "systemctl daemon-reload: $(said)"']),
    ...before.flatMap(({ name, enabled, active }) => {
      const quoted = shellQuote(name);
      const act = [...(enabled ? [`systemctl enable -q ${quoted}`] : []), ...(active ? [`systemctl start ${quoted}`] : [])];
      return `if systemctl cat ${quoted} >/dev/null 2>&1; then ${act.map((line) => `${line} 2>"$err" || fail "${name}: $(said)"`).join('; ')}; echo "back=${name}"; fi`;
    }),
  ];
}

function settingLine(name: string, before: string, set: string): string {
  const [kind = '', what = ''] = name.split(' ');
  if (kind === 'sysctl') return before === '' ? ':' : `unset_sysctl ${shellQuote(what)} ${shellQuote(before)} ${shellQuote(set)}`;
  if (kind === 'module') return `unload ${shellQuote(what)}`;
  if (kind === 'fstab')
    return `awk '{ sub(/^# deliver: /, ""); print }' /etc/fstab >/etc/fstab.deliver-new && ! cmp -s /etc/fstab /etc/fstab.deliver-new && cat /etc/fstab.deliver-new >/etc/fstab && echo "back=fstab"; rm -f /etc/fstab.deliver-new; again /etc/fstab`;
  if (kind === 'swap')
    return ['on', ''].includes(before)
      ? 'swapon -a 2>/dev/null && echo "back=swap"'
      : `for d in ${before.trim().split(' ').map(shellQuote).join(' ')}; do grep -qsF "$d " /proc/swaps || { swapon "$d" 2>"$err" && echo "back=swap $d"; } || echo "note=swap on $d does not come back: $(said)"; done`;
  return ':';
}

function hostsLines(hostsFile: string): string[] {
  const without = hostsFileWith(hostsFile, []);
  const write = `printf '%s' ${shellQuote(without)} >/etc/hosts || fail "/etc/hosts can't be written"; echo "back=/etc/hosts"`;
  return [...(without === hostsFile ? [] : [write]), 'again /etc/hosts'];
}
