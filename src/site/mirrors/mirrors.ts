import { createHash } from 'node:crypto';
import pLimit from 'p-limit';
import { DeliverError } from '../../core/errors.ts';
import { inParallel } from '../../core/in-parallel.ts';
import { SILENT, type Report } from '../../core/report.ts';
import type { HostConnection, HostConnector } from '../../ssh/port.ts';
import { shellQuote } from '../../ssh/shell-quote.ts';
import { STATE_FOLDER } from '../host/record.ts';
import { MIRROR_MARK, type MirrorFile } from './files.ts';

const AT_ONCE = 8;
/** k3s starts its whole node anew. */
const RELOAD_TIMEOUT = 300_000;
const KEPT = '.before-deliver';
/** There while files are written that the runtime has not read yet. */
const MIRRORS_DUE = `${STATE_FOLDER}/mirrors-due`;

/** How a file on a node compares: `foreign` is another file there that deliver did not write. */
export type MirrorState = 'same' | 'missing' | 'different' | 'foreign';

export interface NodeMirrors {
  readonly node: string;
  readonly files: readonly { readonly file: MirrorFile; readonly state: MirrorState }[];
  /** A shell command that makes the runtime read them, when something was written; containerd needs none. */
  readonly reload?: string;
  /** A run that was cut off wrote files there that the runtime has not read. */
  readonly due?: boolean;
}

export interface WrittenMirrors {
  readonly node: string;
  readonly written: number;
  /** The runtime was told; without a file written, of those that a run which was cut off wrote. */
  readonly reloaded?: true;
  /** Copies of files that others had written there, made before they were replaced. */
  readonly kept: readonly string[];
}

/**
 * Compares the files with what is on each node, one round trip per node. Changes nothing.
 * @throws DeliverError E_SSH*, E_SUDO, E_HOST
 */
export async function planMirrors(
  connector: HostConnector,
  nodes: readonly string[],
  files: readonly MirrorFile[],
  signal?: AbortSignal,
): Promise<NodeMirrors[]> {
  const limit = pLimit(AT_ONCE);
  return Promise.all(
    nodes.map((node) =>
      limit(async (): Promise<NodeMirrors> => {
        const connection = await connector.connect(node, signal);
        const ran = await connection.run(lookScript(files), { sudo: true, ...(signal === undefined ? {} : { signal }) });
        const lines = ran.stdout.split('\n');
        if (ran.code !== 0 || lines.length < files.length) throw unreadable(node, ran.stderr);
        const due = lines.includes('due') ? { due: true } : {};
        return { node, ...due, files: files.map((file, index) => ({ file, state: stateOf(file, lines[index] ?? '') })) };
      }),
    ),
  );
}

/**
 * Writes what differs; containerd reads these files at every pull, so nothing is restarted; other runtimes are told.
 * @throws DeliverError E_SSH*, E_SUDO, E_HOST
 */
export async function writeMirrors(
  connector: HostConnector,
  plan: readonly NodeMirrors[],
  report: Report = SILENT,
  signal?: AbortSignal,
): Promise<WrittenMirrors[]> {
  const total = mirrorChanges(plan);
  const done = new Map(plan.map(({ node }): [string, WrittenMirrors] => [node, { node, written: 0, kept: [] }]));
  let files = 0;
  // After a failure nothing may go on writing behind the error that says what state things are in.
  await inParallel(plan, AT_ONCE, signal, async (mirrors, stop) => {
    const { node } = mirrors;
    const changes = mirrors.files.filter(({ state }) => state !== 'same');
    const { reload, due = false } = mirrors;
    if (changes.length === 0 && (reload === undefined || !due)) return;
    const connection = await connector.connect(node, stop);
    const kept: string[] = [];
    // Before the first file: whatever cuts this off, the next run knows that the runtime has to be told.
    if (reload !== undefined && !due) await connection.writeFile(MIRRORS_DUE, '', 0o600);
    for (const { file, state } of changes) {
      if (stop.aborted) throw interrupted(node);
      if (state === 'foreign') kept.push(await keepForeign(connection, file, report));
      await connection.writeFile(file.path, file.content, file.mode);
      report.progress({ done: ++files, total, unit: 'items', detail: node });
    }
    if (reload !== undefined) {
      const settle = `{ ${reload}; } && rm -f ${MIRRORS_DUE}`;
      const ran = await connection.run(settle, { sudo: true, timeout: RELOAD_TIMEOUT, signal: stop });
      if (ran.code !== 0) throw notReloaded(node, ran.stderr, reload);
    }
    done.set(node, { node, written: changes.length, kept, ...(reload === undefined ? {} : { reloaded: true }) });
  });
  return [...done.values()];
}

/** Copies a file of somebody else's aside, once; gives the path of the copy. */
async function keepForeign(connection: HostConnection, { path }: MirrorFile, report: Report): Promise<string> {
  const node = connection.host.name;
  const copy = `${path}${KEPT}`;
  const keep = `[ -e ${shellQuote(copy)} ] || cp -p -- ${shellQuote(path)} ${shellQuote(copy)}`;
  const ran = await connection.run(keep, { sudo: true });
  if (ran.code !== 0) throw unreadable(node, ran.stderr);
  report.note(`${node}: ${path} was not deliver’s; the old one is kept as ${copy}`);
  return copy;
}

/** How many files the plan would write. */
export function mirrorChanges(plan: readonly NodeMirrors[]): number {
  return plan.reduce((sum, { files }) => sum + files.filter(({ state }) => state !== 'same').length, 0);
}

/** `w1: 3 files written`, `w2: mirrors of the run before read`, `no change`. */
export function mirrorSummary(written: readonly WrittenMirrors[]): string {
  const changed = written.filter((node) => node.written > 0 || node.reloaded === true);
  const text = (files: number): string => (files === 0 ? 'mirrors of the run before read' : `${filesText(files)} written`);
  return changed.length === 0 ? 'no change' : changed.map((node) => `${node.node}: ${text(node.written)}`).join(' · ');
}

function filesText(count: number): string {
  return count === 1 ? '1 file' : `${String(count)} files`;
}

/** Prints one line per file: `-`, or its mode, sha256 and whether its first line is ours. */
function lookScript(files: readonly MirrorFile[]): string {
  return [
    'LC_ALL=C; export LC_ALL',
    'look() {',
    '  if [ ! -e "$1" ]; then echo -; return; fi',
    '  sum=$(sha256sum <"$1") || exit 1',
    '  IFS= read -r first <"$1" || :',
    `  if [ "$first" = ${shellQuote(MIRROR_MARK)} ]; then whose=ours; else whose=foreign; fi`,
    '  echo "$(stat -c %a "$1") ${sum%% *} $whose"',
    '}',
    ...files.map(({ path }) => `look ${shellQuote(path)}`),
    `[ ! -e ${MIRRORS_DUE} ] || echo due`,
  ].join('\n');
}

function stateOf(file: MirrorFile, line: string): MirrorState {
  if (line === '-') return 'missing';
  const [mode, digest, whose] = line.split(' ');
  const same = digest === createHash('sha256').update(file.content).digest('hex');
  if (same) return mode === file.mode.toString(8) ? 'same' : 'different';
  return whose === 'ours' ? 'different' : 'foreign';
}

function unreadable(node: string, stderr: string): DeliverError {
  return new DeliverError('E_HOST', {
    what: `The mirror files of ${node} can’t be read or kept.`,
    why: stderr.trim().split('\n').at(-1) ?? '',
    state: 'This file was not changed; files written before it stay.',
  });
}

function notReloaded(node: string, stderr: string, command: string): DeliverError {
  return new DeliverError('E_HOST', {
    what: `The container runtime of ${node} did not take its new mirrors.`,
    why: stderr.trim().split('\n').at(-1) ?? '',
    fix: `On ${node}: ${command}`,
    state: 'The files are written there.',
  });
}

function interrupted(node: string): DeliverError {
  return new DeliverError('E_INTERRUPTED', { what: `Interrupted while writing the mirrors of ${node}.` });
}
