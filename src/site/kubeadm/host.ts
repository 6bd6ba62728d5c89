import { DeliverError } from '../../core/errors.ts';
import type { HostConnection, RunOptions, RunResult } from '../../ssh/port.ts';
import { ADMIN_CONF, MARKER, RUN_FOLDER } from './paths.ts';

/** A kubeadm of an earlier run that nobody waits for any more is waited for this long. */
const LOCK_SECONDS = 600;
const CONFIG = `${RUN_FOLDER}/kubeadm.yaml`;
const LOG = `${RUN_FOLDER}/kubeadm.log`;
const PRELUDE = 'PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin; LC_ALL=C; export PATH LC_ALL; umask 077';
const LOCK = `mkdir -p ${RUN_FOLDER}; chmod 700 ${RUN_FOLDER}; exec 9>${RUN_FOLDER}/kubeadm.lock; flock -w ${String(LOCK_SECONDS)} 9 || exit 75`;

export interface HostWork extends Omit<RunOptions, 'sudo'> {
  /** For messages: “kubeadm init”. */
  readonly what: string;
}

/**
 * Runs a shell script as root on a host, with the folders that deliver places programs in on its PATH.
 * @throws DeliverError E_HOST when it ends with another code than 0
 */
export async function onHost(connection: HostConnection, script: string, work: HostWork): Promise<string> {
  const ran = await tryOnHost(connection, script, work);
  if (ran.code !== 0) throw failedOn(connection, work.what, ran);
  return ran.stdout;
}

/** The same, where another code than 0 is an answer. */
export function tryOnHost(connection: HostConnection, script: string, { what: _what, ...options }: HostWork): Promise<RunResult> {
  return connection.run(`${PRELUDE}\n${script}`, { ...options, sudo: true });
}

export interface KubeadmWork {
  /** Arguments without --config. */
  readonly args: string;
  /** Goes through standard input into a file that only root reads, and is gone afterwards: it may hold a token. */
  readonly config?: string;
  /** Kept in the marker, so that a later run knows who began what. */
  readonly mark?: { readonly op: 'init' | 'join'; readonly kubernetes: string };
  /** Shell lines between the lock and kubeadm. */
  readonly before?: string;
  /** Shell lines after kubeadm did its work. */
  readonly after?: string;
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal;
}

/**
 * One kubeadm at a time on a host. It writes to a file and not to us, so that it goes on to its end when deliver is
 * killed; the next run waits at the lock and finds a state that means something.
 */
export async function kubeadm(connection: HostConnection, work: KubeadmWork): Promise<void> {
  const { args, config, mark, before = '', after = '', timeout, signal } = work;
  const marked = (state: string): string =>
    mark === undefined ? '' : writeMarker({ version: 1, op: mark.op, state, kubernetes: mark.kubernetes });
  const script = [
    LOCK,
    'set -e',
    `trap 'rm -f ${CONFIG}' EXIT; trap 'exit 143' TERM INT HUP`,
    ...(config === undefined ? [] : [`cat >${CONFIG}`]),
    marked('begun'),
    before,
    `kubeadm ${args}${config === undefined ? '' : ` --config ${CONFIG}`} >${LOG} 2>&1 </dev/null || { c=$?; tail -n 25 ${LOG} >&2; exit $c; }`,
    after,
    marked('done'),
  ].join('\n');
  await onHost(connection, script, {
    what: `kubeadm ${args
      .split(' ')
      .filter((word) => !word.startsWith('-'))
      .join(' ')}`,
    timeout: timeout + LOCK_SECONDS * 1000,
    ...(config === undefined ? {} : { stdin: config }),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Shell lines that hold the same lock as `kubeadm`. */
export function locked(script: string): string {
  return `${LOCK}\n${script}`;
}

/** Shell line that writes a marker in one move. */
export function writeMarker(marker: object): string {
  const folder = MARKER.slice(0, MARKER.lastIndexOf('/'));
  return `mkdir -p ${folder}; printf '%s\\n' '${JSON.stringify(marker)}' >${MARKER}.part; mv ${MARKER}.part ${MARKER}`;
}

/** An API server that is being replaced is back within this. */
const REFUSED_TRIES = 45;
const REFUSED_PAUSE = 2_000;

/** A server that just started knows no roles yet, and forbids the administrator what nobody else may do either. */
const NOT_ASKED = /was refused - did you specify|connect: connection refused|User "kubernetes-admin" cannot|apiserver not ready/;

/** True when kubectl’s words say that the API server was not even asked: it is being replaced. */
export function isNotAsked(stderr: string): boolean {
  return NOT_ASKED.test(stderr);
}

/**
 * kubectl as the cluster’s administrator, on a control plane. Arguments must hold no secret; objects go through stdin. While
 * its API server is being replaced, refused or forbidden means that nothing was done: it is asked again.
 */
export async function kubectl(connection: HostConnection, args: string, work: Partial<HostWork> = {}): Promise<string> {
  const { what = `kubectl ${args.split(' ').slice(0, 2).join(' ')}`, ...options } = work;
  for (let attempt = 1; ; attempt++) {
    const ran = await tryOnHost(connection, kubectlLine(args), { what, ...options });
    if (ran.code === 0) return ran.stdout;
    if (attempt >= REFUSED_TRIES || !isNotAsked(ran.stderr)) throw failedOn(connection, what, ran);
    await new Promise((resolve) => setTimeout(resolve, REFUSED_PAUSE));
    options.signal?.throwIfAborted();
  }
}

export function kubectlLine(args: string): string {
  return `kubectl --kubeconfig ${ADMIN_CONF} ${args}`;
}

/** The error for a command that failed, with the last lines of what it said. */
export function failedOn({ host }: HostConnection, what: string, { code, stderr }: RunResult): DeliverError {
  const lines = stderr
    .trim()
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.includes('--v=5'));
  if (code === 75) {
    return new DeliverError('E_HOST', {
      what: `Another kubeadm still runs on ${host.name}.`,
      why: `It holds ${RUN_FOLDER}/kubeadm.lock since more than ${String(LOCK_SECONDS / 60)} minutes.`,
      fix: `Look there with: ps -ef | grep kubeadm; then run the same command again.`,
    });
  }
  return new DeliverError('E_HOST', {
    what: `${what} failed on ${host.name}.`,
    why: reason(lines) ?? `It ended with ${String(code)} and said nothing.`,
    ...(lines.length > 1 ? { details: lines.slice(-12) } : {}),
    fix: `Look at ${LOG} and journalctl -u kubelet on ${host.name}, then run the same command again: it goes on from there.`,
  });
}

function reason(lines: readonly string[]): string | undefined {
  return lines.find((line) => /^\[ERROR |^error(?: execution)?[: ]|^error: /i.test(line)) ?? lines.at(-1);
}
