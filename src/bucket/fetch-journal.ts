import { open, readFile } from 'node:fs/promises';
import { isDigest, type Digest } from '../core/digest.ts';

/** The record beside a partial object: a line that names the object, then one line per finished range. */
export interface FetchJournal {
  /** Ranges that an earlier run finished; each is hashed again before it is believed. */
  readonly finished: ReadonlyMap<number, Digest>;
  append(number: number, digest: Digest): Promise<void>;
  /** Nothing that it says is believed any more. */
  forget(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the journal of this very object; one of another object, or of another time of it, is begun anew.
 * @param usable whether the partial file itself is there, of the right size
 */
export async function openFetchJournal(
  path: string,
  object: Readonly<Record<string, string | number>>,
  usable: boolean,
): Promise<FetchJournal> {
  const header = JSON.stringify({ journal: 'deliver-fetch/v2', ...object });
  const [first, ...lines] = (await readFile(path, 'utf8').catch(() => '')).split('\n');
  const goesOn = usable && first === header;
  // The last piece has no end of line: nothing, or a line that was torn.
  const finished = new Map(goesOn ? lines.slice(0, -1).flatMap(entry) : []);
  const handle = await open(path, goesOn ? 'a' : 'w', 0o644);
  await handle.appendFile(goesOn ? '\n' : `${header}\n`);
  return {
    finished,
    append: async (number, digest) => handle.appendFile(`${String(number)} ${digest}\n`),
    forget: () => handle.truncate(0),
    close: () => handle.close(),
  };
}

function entry(line: string): readonly [number, Digest][] {
  const [index, digest = ''] = line.split(' ');
  return /^\d+$/.test(index ?? '') && isDigest(digest) ? [[Number(index), digest]] : [];
}
