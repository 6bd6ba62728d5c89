import { appendFile, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Digest } from '../../core/digest.ts';

const Entry = z.object({
  time: z.string(),
  event: z.enum(['start', 'step', 'done']),
  root: z.string(),
  version: z.string(),
  step: z.string().optional(),
});
type Entry = z.infer<typeof Entry>;

/** Where an earlier install of the same bundle stopped. */
export interface Interruption {
  /** ISO 8601, when the last entry was written. */
  readonly time: string;
  /** The step that was under way. */
  readonly step: string;
}

/**
 * The append-only local record of installs of one release on one site. What is true is always asked of the
 * site itself; the journal only lets the tool say where it goes on from.
 */
export class Journal {
  readonly #file: string;

  /** @param folder the state folder of this user */
  constructor(folder: string, site: string, release: string) {
    this.#file = path.join(folder, 'installs', `${site}.${release}.jsonl`);
  }

  /** Undefined when the last install of this root ended, or there was none. Lines cut by a crash are passed over. */
  async interrupted(root: Digest): Promise<Interruption | undefined> {
    const text = await readFile(this.#file, 'utf8').catch(() => '');
    const last = text
      .split('\n')
      .map((line) => parseEntry(line))
      .filter((entry): entry is Entry => entry !== undefined)
      .at(-1);
    if (last === undefined || last.event === 'done' || last.root !== root) return undefined;
    return { time: last.time, step: last.step ?? 'start' };
  }

  /** Appends one line. The folder is made when missing. */
  async append(entry: Omit<Entry, 'time'>): Promise<void> {
    await mkdir(path.dirname(this.#file), { recursive: true });
    await appendFile(this.#file, `${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`);
  }
}

function parseEntry(line: string): Entry | undefined {
  try {
    return Entry.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
