import { SHELL_SUM } from '../../ssh/shell-sum.ts';

/** Beginning of every script: one language, one path, and `sum`. */
export const HOST_SHELL = [
  'LC_ALL=C; PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export LC_ALL PATH',
  SHELL_SUM,
].join('\n');

/** Seconds that a script waits for one that an earlier run left at work on the same host. */
const LOCK_SECONDS = 45;

/** One script at a time on a host: one whose deliver was killed may still be at work. Needs `state`; not held where flock(1) lacks. */
export const HOST_LOCK = String.raw`
(umask 077; mkdir -p "$state"); chmod 700 "$state"
if command -v flock >/dev/null 2>&1; then
  exec 9>>"$state/lock"
  flock -w ${String(LOCK_SECONDS)} 9 || { echo "fail=another deliver still works on this host"; exit 75; }
fi
`;

/**
 * Runs the script that comes as standard input: as an argument it would be limited to 128 KiB (Linux MAX_ARG_STRLEN) and
 * anyone on the host could read it.
 */
export const RUN_INPUT = 'script=$(cat); eval "$script" </dev/null';
