import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { userInfo } from 'node:os';
import { startSshd, whyNoSshd, type Sshd } from './sshd.ts';

/** Folders that such a host has for itself: what is written there is nobody else’s. */
const OWN = ['/etc', '/opt', '/usr/local', '/var/lib', '/srv', '/root'];

/** Why no host of its own can be made here; undefined when one can. */
export function whyNoPrivateHost(): string | undefined {
  if (process.platform !== 'linux' || userInfo().uid !== 0) return 'only root can give a host folders of its own';
  const noSshd = whyNoSshd();
  if (noSshd !== undefined) return noSshd;
  const tried = spawnSync('unshare', [
    '-m',
    'sh',
    '-c',
    'd=$(mktemp -d) && mount -t tmpfs none $d && mkdir $d/u $d/w $d/m && mount -t overlay none -o lowerdir=/srv,upperdir=$d/u,workdir=$d/w $d/m',
  ]);
  return tried.status === 0 ? undefined : 'overlays can’t be mounted here';
}

/**
 * A real sshd in a mount namespace of its own: below /etc, /usr/local, /var/lib … it sees this machine, and what it writes
 * is its own and gone afterwards. systemctl, modprobe, swapon and swapoff are stand-ins that remember what they were told.
 */
export interface PrivateHost extends Sshd {
  /** A path of that host as this process reaches it. */
  at(path: string): string;
  read(path: string): string | undefined;
  write(path: string, content: string, mode?: number): void;
  /** What the stand-ins were told, in order: `systemctl restart tool.service`. */
  told(): string[];
  /** The configuration that a unit’s process has read; undefined when it does not run. */
  running(unit: string): string | undefined;
  /** At the nth call of a program from a script, that script and its connection are killed. Undefined: never. */
  killAt(call: number | undefined): void;
  /** True when that kill came. */
  killed(): boolean;
}

export async function startPrivateHost(): Promise<PrivateHost> {
  // Each path is bound over by one of its own where the kernel’s must not be touched.
  const script = [
    'set -e',
    'mount --make-rprivate /',
    'mount -t tmpfs deliver-test /mnt',
    ...OWN.map(
      (path, index) =>
        `mkdir -p /mnt/${String(index)}/u /mnt/${String(index)}/w; mount -t overlay none -o lowerdir=${path},upperdir=/mnt/${String(index)}/u,workdir=/mnt/${String(index)}/w ${path}`,
    ),
    // What a login of this machine does by itself must not meet the kill points.
    'rm -f /root/.bashrc /root/.bash_profile /root/.profile /etc/bash.bashrc',
    'mount -t tmpfs deliver-run /run; mkdir -p /run/sshd /run/systemd/system /run/units',
    ...['net/ipv4/ip_forward', 'fs/inotify/max_user_instances'].map(
      (key) => `echo 0 >/mnt/${key.replaceAll('/', '-')}; mount --bind /mnt/${key.replaceAll('/', '-')} /proc/sys/${key}`,
    ),
    `printf 'Filename Type Size Used Priority\\n/dev/swap1 partition 1000 0 -2\\n' >/mnt/swaps; mount --bind /mnt/swaps /proc/swaps`,
    'exec "$@"',
  ].join('\n');
  const sshd = await startSshd({ command: ['unshare', '-m', '--propagation', 'private', 'sh', '-c', script, 'sh'] });
  const pid = readFileSync(join(sshd.folder, 'pid'), 'utf8').trim();
  const at = (path: string): string => `/proc/${pid}/root${path}`;
  const write = (path: string, content: string, mode = 0o644): void => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), content, { mode });
    chmodSync(at(path), mode);
  };
  const read = (path: string): string | undefined => (existsSync(at(path)) ? readFileSync(at(path), 'utf8') : undefined);
  for (const [name, text] of Object.entries(STAND_INS))
    write(`/usr/local/sbin/${name}`, `#!/bin/sh\n${KILL_POINT}${text}`, 0o755);
  // Programs of every day, with a kill point before each.
  for (const name of ['mv', 'chmod', 'rm', 'cp', 'stat', 'mkdir', 'cat', 'awk', 'rmdir'])
    write(`/usr/local/sbin/${name}`, `#!/bin/sh\n${KILL_POINT}exec /usr/bin/${name} "$@"\n`, 0o755);
  return {
    ...sshd,
    at,
    read,
    write,
    told: () => (read('/run/told') ?? '').split('\n').filter(Boolean),
    running: (unit) => read(`/run/units/${unit}.active`),
    killAt: (call) => {
      for (const file of ['/run/kill-at', '/run/calls', '/run/killed']) rmSync(at(file), { force: true });
      if (call !== undefined) write('/run/kill-at', String(call));
    },
    killed: () => existsSync(at('/run/killed')),
  };
}

/** Before the program does anything: the script that called it dies, and the session of sshd with it, as when deliver is killed. */
const KILL_POINT = `
if [ -e /run/kill-at ] && [ ! -e /run/killed ]; then
  echo x >>/run/calls
  if [ "$(/usr/bin/wc -l </run/calls)" -ge "$(/usr/bin/cat /run/kill-at)" ]; then
    echo killed >/run/killed
    p=$PPID
    while [ "$p" -gt 1 ]; do
      read -r _ c _ q _ </proc/$p/stat || break
      [ "$c" != '(sshd)' ] || [ "$q" != "$(/usr/bin/cat /run/sshd.pid 2>/dev/null)" ] || break
      kill -9 $p
      [ "$c" != '(sshd)' ] || break
      p=$q
    done
    exit 137
  fi
fi
`;

const REMEMBER = 'echo "$(basename "$0") $*" >>/run/told\n';
const STAND_INS: Readonly<Record<string, string>> = {
  modprobe: `${REMEMBER}exit 0\n`,
  swapoff: `${REMEMBER}printf 'Filename Type Size Used Priority\\n' >/proc/swaps\n`,
  swapon: `${REMEMBER}printf 'Filename Type Size Used Priority\\n%s partition 1000 0 -2\\n' "$1" >/proc/swaps\n`,
  // Its units read the file that is named last in ExecStart once, when they start.
  systemctl: `
verb=$1; shift; quiet=; unit=; now=; props=
while [ $# -gt 0 ]; do case $1 in -q|--quiet) quiet=1;; --now) now=1;; -p) shift; props="$props $1";; -*) ;; *) unit=$1;; esac; shift; done
file=/etc/systemd/system/$unit; run=/run/units/$unit
start() {
  [ -f "$file" ] || { echo "Unit $unit not found." >&2; exit 5; }
  conf=$(/usr/bin/sed -n 's/^ExecStart=.* //p' "$file"); : >"$run.active"; [ ! -f "$conf" ] || /usr/bin/cat "$conf" >"$run.active"
}
case $verb in
  is-active) if [ -e "$run.active" ]; then s=active; else s=inactive; fi; [ -n "$quiet" ] || echo $s; [ $s = active ];;
  is-enabled) if [ -e "$run.enabled" ]; then s=enabled; elif [ -f "$file" ]; then s=disabled; else s=not-found; fi; [ -n "$quiet" ] || echo $s; [ $s = enabled ];;
  show) a=inactive; e=disabled; f=; [ ! -e "$run.active" ] || a=active; [ ! -e "$run.enabled" ] || e=enabled; [ ! -f "$file" ] || f=$file
    printf 'ActiveState=%s\\nUnitFileState=%s\\nFragmentPath=%s\\nNeedDaemonReload=no\\n' $a $e "$f";;
  cat) [ -f "$file" ];;
  status|reset-failed) ;;
  daemon-reload) echo "systemctl daemon-reload" >>/run/told;;
  enable) echo "systemctl enable $unit" >>/run/told; : >"$run.enabled"; [ -z "$now" ] || start;;
  disable) echo "systemctl disable $unit" >>/run/told; /usr/bin/rm -f "$run.enabled"; [ -z "$now" ] || /usr/bin/rm -f "$run.active";;
  start|restart) echo "systemctl $verb $unit" >>/run/told; start;;
  stop) echo "systemctl stop $unit" >>/run/told; /usr/bin/rm -f "$run.active";;
esac
`,
};
