import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { redactText } from './support-redact.ts';

/** A .tar.gz that only its owner can read; every text in it went through the rules of redaction. */
export interface SupportArchive {
  /** One file at a time is held in memory for each caller that waits. */
  add(name: string, text: string): Promise<void>;
  /** Writes REDACTED.txt and gives the file its name. */
  finish(): Promise<{ readonly size: number; readonly files: number; readonly redacted: number }>;
  /** Leaves nothing behind. */
  abort(): Promise<void>;
}

/** Opens `<path>.part`. Errors of the file system come from `add` and `finish`. */
export function openArchive(path: string, mtime = new Date()): SupportArchive {
  const part = `${path}.part`;
  const tar = pack();
  const written = pipeline(tar, createGzip(), createWriteStream(part, { mode: 0o600, flags: 'w' }));
  let failure: { readonly error: unknown } | undefined;
  written.catch((error: unknown) => {
    failure = { error };
  });
  const counts: string[] = [];
  let redacted = 0;
  let files = 0;
  let last: Promise<void> = Promise.resolve();
  const put = (name: string, text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const body = Buffer.from(text);
      const broken = (): void => {
        reject(failure?.error instanceof Error ? failure.error : new Error('the archive can’t be written'));
      };
      if (failure !== undefined) broken();
      else {
        written.catch(broken);
        tar.entry({ name, size: body.length, mode: 0o600, mtime }, body, (error) => {
          if (error instanceof Error) reject(error);
          else resolve();
        });
      }
    });
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
  return {
    add: (name, text) =>
      inTurn(async () => {
        const clean = redactText(text);
        for (const [rule, count] of clean.found) {
          counts.push(`${String(count).padStart(6)}  ${rule.padEnd(32)}  ${name}`);
          redacted += count;
        }
        files += 1;
        await put(name, clean.text);
      }),
    finish: async () => {
      await inTurn(() => put('REDACTED.txt', redactedText(counts)));
      tar.finalize();
      await written;
      await rename(part, path);
      return { size: (await stat(path)).size, files: files + 1, redacted };
    },
    abort: async () => {
      tar.destroy();
      await written.catch(() => undefined);
      await rm(part, { force: true });
    },
  };
}

function redactedText(counts: readonly string[]): string {
  return [
    'What was replaced by *** in this archive: how often, by which rule, in which file.',
    'Never read at all: Secrets of the cluster, kubeconfigs, private keys, arguments of processes, logs and ConfigMaps of apps.',
    '',
    ...(counts.length === 0 ? ['Nothing was found.'] : counts.toSorted()),
    '',
  ].join('\n');
}
