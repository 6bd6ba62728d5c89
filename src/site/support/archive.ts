import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack, type Pack } from 'tar-stream';
import { redactText } from './redact.ts';

/** A .tar.gz that only its owner can read; every text in it went through the rules of redaction. */
export interface SupportArchive {
  add(name: string, text: string): Promise<void>;
  /** Writes all files, by name, and REDACTED.txt; then gives the archive its name. */
  finish(): Promise<{ readonly size: number; readonly files: number; readonly redacted: number }>;
  /** Leaves nothing behind. */
  abort(): Promise<void>;
}

interface Kept {
  readonly name: string;
  readonly path: string;
  readonly found: ReadonlyMap<string, number>;
}

/**
 * Opens an archive. What is added waits, already redacted, in a folder beside it that only its owner may read, so that the
 * archive is in the order of the names whichever host answers first. Errors of the file system come from `add` and `finish`.
 */
export function openArchive(path: string, mtime = new Date()): SupportArchive {
  let folder: Promise<string> | undefined;
  const inFolder = (): Promise<string> => (folder ??= mkdtemp(`${path}.part-`));
  const kept: Kept[] = [];
  const abort = async (): Promise<void> => {
    const made = await folder?.catch(() => undefined);
    if (made !== undefined) await rm(made, { recursive: true, force: true });
  };
  const add = async (name: string, text: string): Promise<void> => {
    const { text: clean, found } = redactText(text);
    const waiting = join(await inFolder(), String(kept.length));
    kept.push({ name, path: waiting, found });
    await writeFile(waiting, clean, { mode: 0o600, flag: 'wx' });
  };
  return {
    add,
    finish: async () => {
      await add('REDACTED.txt', redactedText(kept));
      const sorted = kept.toSorted((a, b) => (a.name < b.name ? -1 : 1));
      const whole = join(await inFolder(), 'archive');
      const tar = pack();
      const written = pipeline(tar, createGzip(), createWriteStream(whole, { mode: 0o600, flags: 'wx' }));
      await Promise.all([written, fill(tar, sorted, mtime)]);
      await rename(whole, path);
      await abort();
      const redacted = kept.flatMap(({ found }) => [...found.values()]).reduce((sum, count) => sum + count, 0);
      return { size: (await stat(path)).size, files: kept.length, redacted };
    },
    abort,
  };
}

async function fill(tar: Pack, files: readonly Kept[], mtime: Date): Promise<void> {
  for (const { name, path } of files) {
    const { size } = await stat(path);
    await pipeline(createReadStream(path), tar.entry({ name, size, mode: 0o600, mtime }));
  }
  tar.finalize();
}

function redactedText(files: readonly Kept[]): string {
  const lines = files
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ name, found }) =>
      [...found].map(([rule, count]) => `${String(count).padStart(6)}  ${rule.padEnd(32)}  ${name}`).toSorted(),
    );
  return [
    'What was replaced by *** in this archive: how often, by which rule, in which file.',
    'Never read at all: Secrets of the cluster, kubeconfigs, private keys, arguments of processes, logs and ConfigMaps of apps.',
    '',
    ...(lines.length === 0 ? ['Nothing was found.'] : lines),
    '',
  ].join('\n');
}
