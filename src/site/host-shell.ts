import { SHELL_SUM } from '../ssh/shell-sum.ts';

/** Beginning of every script: one language, one path, and `sum`. */
export const HOST_SHELL = [
  'LC_ALL=C; PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export LC_ALL PATH',
  SHELL_SUM,
].join('\n');

/**
 * Runs the script that comes as standard input: as an argument it would be limited to 128 KiB (Linux MAX_ARG_STRLEN) and
 * anyone on the host could read it.
 */
export const RUN_INPUT = 'script=$(cat); eval "$script" </dev/null';
