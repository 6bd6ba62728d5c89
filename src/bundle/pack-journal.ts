import { open, readFile, type FileHandle } from 'node:fs/promises';
import { isDigest, type Digest } from '../core/digest.ts';
import type { BundlePlan } from './plan.ts';

/** The record beside a partial bundle: a line that names the plan, then one digest per finished blob. */
export interface PackJournal {
  /** Blobs that an earlier run finished; each is hashed again before it is believed. */
  readonly finished: ReadonlySet<Digest>;
  /** Why an earlier journal was not used, for the person. */
  readonly note?: string;
  append(digest: Digest): Promise<void>;
  close(): Promise<void>;
}

/** @param usable whether the partial file itself is there, of the planned size */
export async function openJournal(path: string, plan: BundlePlan, usable: boolean): Promise<PackJournal> {
  const header = JSON.stringify({ journal: 'deliver-pack/v1', root: plan.root.digest, size: plan.size });
  const [first, ...lines] = (await readFile(path, 'utf8').catch(() => '')).split('\n');
  const goesOn = usable && first === header;
  const finished = new Set(goesOn ? lines.slice(0, -1).filter((line) => isDigest(line)) : []);
  const handle = await open(path, goesOn ? 'a' : 'w', 0o644);
  // A line that a power cut tore is closed, so that it can't spoil the next one.
  await handle.appendFile(goesOn ? '\n' : `${header}\n`);
  const note =
    first === '' || first === undefined || goesOn ? {} : { note: 'the partial file was of another release: starting anew' };
  return { finished, ...note, append: (digest) => line(handle, digest), close: () => handle.close() };
}

async function line(handle: FileHandle, digest: Digest): Promise<void> {
  await handle.appendFile(`${digest}\n`);
}
