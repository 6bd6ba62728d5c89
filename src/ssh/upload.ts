import { hexOf } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import type { SiteHost } from '../manifest/site-schema.ts';
import { where } from './endpoint.ts';
import type { Executed } from './execute.ts';
import type { UploadOptions, UploadSource } from './port.ts';
import { parentOf } from './remote-file.ts';
import { shellQuote } from './shell-quote.ts';
import { SHELL_SUM } from './shell-sum.ts';

/** Below this it costs less to send everything again than to ask how much of it is there. */
const WORTH_RESUMING = 4 * 1024 * 1024;
/** Bytes per millisecond that even a bad line carries. */
const SLOW_LINE = 50;
const ASKING = 60_000;
/** Exit codes of the script: the file there has another digest, or another size than it had when it was asked for. */
const OTHER_DIGEST = 3;
const OTHER_SIZE = 4;

/** How a script is run on the host as the one who may write there. */
export interface UploadHost {
  readonly host: SiteHost;
  run(
    script: string,
    label: string,
    work: { readonly timeout: number; readonly input?: AsyncIterable<Uint8Array> },
  ): Promise<Executed>;
  failed(ran: Executed): DeliverError;
}

/** See `HostConnection.upload`. */
export async function uploadFile(path: string, source: UploadSource, options: UploadOptions, to: UploadHost): Promise<void> {
  const label = `writing ${path}`;
  let from = source.size < WORTH_RESUMING ? 0 : await partSize(path, source.size, label, to);
  for (;;) {
    if (from > 0) options.onBytes?.(from);
    const ran = await to.run(uploadScript(path, source, from, options.mode ?? 0o644), label, {
      timeout: ASKING + Math.ceil((source.size - from) / SLOW_LINE),
      input: counted(source.open(from, options.signal), options.onBytes),
    });
    if (ran.code === 0) return;
    if (from > 0 && ran.code === OTHER_SIZE) {
      // What an attempt before this one had sent was still being written.
      options.onBytes?.(-from);
      from = 0;
      continue;
    }
    if (ran.code !== OTHER_DIGEST) throw to.failed(ran);
    // What was left of an earlier run may be of another file; what was sent whole may not.
    if (from === 0) throw damagedOnTheWay(path, source, ran, to.host);
    options.onBytes?.(-source.size);
    from = 0;
  }
}

async function partSize(path: string, size: number, label: string, to: UploadHost): Promise<number> {
  const part = shellQuote(`${path}.part`);
  const ran = await to.run(`[ ! -f ${part} ] || wc -c <${part}`, label, { timeout: ASKING });
  if (ran.code !== 0) throw to.failed(ran);
  const there = Number(ran.stdout.toString('utf8').trim() || '0');
  return there <= size ? there : 0;
}

/** Hashed on the way in, and not read again. What tee says of a full disk is the last that is said. */
const RECEIVE_AND_SUM = [
  'got=$({ { tee -- "$part" && printf ok >&3; } | sum_in; } 3>&1)',
  String.raw`case $got in ok*) got=${'$'}{got#ok};; *) exit 1;; esac`,
];

/** A script that appends its standard input to `<path>.part` at byte `from` and moves it in place when it is what was promised. */
export function uploadScript(path: string, { size, digest }: UploadSource, from: number, mode: number): string {
  const cutOff = 'the transfer was cut off';
  return [
    'set -eu',
    'export LC_ALL=C',
    `target=${shellQuote(path)}; part=${shellQuote(`${path}.part`)}`,
    'if [ -d "$target" ]; then echo "is a directory" >&2; exit 1; fi',
    'umask 022',
    `mkdir -p -- ${shellQuote(parentOf(path))}`,
    'umask 077',
    SHELL_SUM,
    from === 0 ? 'rm -f -- "$part"; : >"$part"' : `[ "$(wc -c <"$part")" -eq ${String(from)} ] || exit ${String(OTHER_SIZE)}`,
    ...(from === 0 ? RECEIVE_AND_SUM : ['cat >>"$part"']),
    // The part stays: the next attempt goes on from there.
    `if [ "$(wc -c <"$part")" -ne ${String(size)} ]; then echo "${cutOff}" >&2; exit 1; fi`,
    ...(from === 0 ? [] : ['got=$(sum "$part")']),
    `if [ "$got" != ${hexOf(digest)} ]; then rm -f -- "$part"; echo "sha256:$got" >&2; exit ${String(OTHER_DIGEST)}; fi`,
    `chmod ${mode.toString(8)} "$part"`,
    'mv -f -- "$part" "$target"',
  ].join('\n');
}

/** Chunks may be reused by their source, and wait here until the line takes them: each gets memory of its own. */
async function* counted(chunks: AsyncIterable<Uint8Array>, onBytes: UploadOptions['onBytes']): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    yield Buffer.from(chunk);
    onBytes?.(chunk.byteLength);
  }
}

function damagedOnTheWay(path: string, { digest }: UploadSource, ran: Executed, host: SiteHost): DeliverError {
  return new DeliverError('E_DIGEST', {
    what: `${path} arrived on ${where(host)} with another content.`,
    why: `expected ${digest}\ngot      ${ran.stderr.toString('utf8').trim().split('\n').at(-1) ?? ''}`,
    fix: 'Check the bundle with deliver verify; when it is whole, look at the memory and the disks of that host.',
    state: 'What arrived was removed; what was there before is still there.',
  });
}
