import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDigest, type Digest } from '../core/digest.ts';

/** What a part held when it was sent. */
export interface SentContent {
  /** Base64. */
  readonly sha256: string;
  /** Hexadecimal, of its segments in order. */
  readonly segments: readonly string[];
}

/**
 * The record of an upload, on this machine: what each part held before it was sent, and which blobs were verified. Only what the
 * store lists with the same checksum is believed.
 */
export interface UploadJournal {
  /** Undefined when there is none to go on with. */
  readonly upload: string | undefined;
  readonly parts: ReadonlyMap<number, SentContent>;
  readonly verified: ReadonlySet<Digest>;
  /** Begins anew, for another upload. */
  begin(upload: string): Promise<void>;
  part(number: number, content: SentContent): Promise<void>;
  blob(digest: Digest): Promise<void>;
  /** What these parts held was not what it should have been. */
  distrust(numbers: readonly number[]): Promise<void>;
  end(): Promise<void>;
}

/** @param subject names the object and the plan; a journal of another is not used */
export async function openUploadJournal(path: string, subject: Readonly<Record<string, string>>): Promise<UploadJournal> {
  await mkdir(dirname(path), { recursive: true });
  const about = { journal: 'deliver-upload/v1', ...subject };
  const [first = '', ...lines] = (await readFile(path, 'utf8').catch(() => '')).split('\n');
  const upload = uploadOf(first, about);
  const parts = new Map<number, SentContent>();
  const verified = new Set<Digest>();
  // The last piece has no end of line: nothing, or a line that was torn.
  for (const line of upload === undefined ? [] : lines.slice(0, -1)) {
    const [word, what = '', sha256 = '', segments = ''] = line.split(' ');
    if (word === 'part') parts.set(Number(what), { sha256, segments: segments === '' ? [] : segments.split(',') });
    else if (word === 'distrust') parts.delete(Number(what));
    else if (word === 'blob' && isDigest(what)) verified.add(what);
  }
  // Closes a torn line, so that it can't spoil the next one.
  if (upload !== undefined) await appendFile(path, '\n');
  // One after the other: what is distrusted must not be trusted again by a line that was on its way.
  let written = Promise.resolve();
  const append = (line: string): Promise<void> => (written = written.then(() => appendFile(path, `${line}\n`)));
  return {
    upload,
    parts,
    verified,
    begin: (id) => writeFile(path, `${JSON.stringify({ ...about, upload: id })}\n`),
    part: (number, { sha256, segments }) => append(`part ${String(number)} ${sha256} ${segments.join(',')}`),
    blob: (digest) => append(`blob ${digest}`),
    distrust: (numbers) => append(numbers.map((number) => `distrust ${String(number)}`).join('\n')),
    end: () => rm(path, { force: true }),
  };
}

function uploadOf(line: string, about: Readonly<Record<string, string>>): string | undefined {
  const start = JSON.stringify({ ...about, upload: '' }).slice(0, -2);
  const id = line.startsWith(start) && line.endsWith('"}') ? line.slice(start.length, -2) : '';
  return id === '' ? undefined : id;
}
