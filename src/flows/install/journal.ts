import { randomUUID } from 'node:crypto';
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Digest } from '../../core/digest.ts';

const Entry = z.object({
  time: z.string(),
  event: z.enum(['step', 'step-done', 'done']),
  /** Of one run of install; not in lines of before there were lanes. */
  run: z.string().optional(),
  root: z.string(),
  version: z.string(),
  step: z.string().optional(),
});
type Entry = z.infer<typeof Entry>;

/** Where an earlier install of the same bundle stopped. */
export interface Interruption {
  /** ISO 8601, when the last entry was written. */
  readonly time: string;
  /** The steps that were under way, in the order in which they began. */
  readonly steps: readonly string[];
}

/**
 * The append-only local record of installs of one release on one site. What is true is always asked of the
 * site itself; the journal only lets the tool say where it goes on from.
 */
export class Journal {
  readonly #file: string;
  readonly #run = randomUUID();

  /** @param folder the state folder of this user */
  constructor(folder: string, site: string, release: string) {
    this.#file = path.join(folder, 'installs', `${site}.${release}.jsonl`);
  }

  /** Undefined when the last install of this root ended, or there was none. Lines cut by a crash are passed over. */
  async interrupted(root: Digest): Promise<Interruption | undefined> {
    const text = await readFile(this.#file, 'utf8').catch(() => '');
    const entries = text
      .split('\n')
      .map((line) => parseEntry(line))
      .filter((entry): entry is Entry => entry !== undefined);
    const last = entries.at(-1);
    if (last === undefined || last.event === 'done' || last.root !== root) return undefined;
    const ofRun = last.run === undefined ? [last] : entries.filter(({ run }) => run === last.run);
    const ended = new Set(ofRun.filter(({ event }) => event === 'step-done').map(({ step }) => step));
    const begun = ofRun.flatMap(({ event, step }) => (event === 'step' && step !== undefined ? [step] : []));
    const open = begun.filter((step) => !ended.has(step));
    // Between two steps it is the one that ended last.
    return { time: last.time, steps: open.length > 0 ? open : begun.slice(-1) };
  }

  /** Appends one line. The folder is made when missing. */
  async append(entry: Omit<Entry, 'time' | 'run'>): Promise<void> {
    await mkdir(path.dirname(this.#file), { recursive: true });
    const line = { time: new Date().toISOString(), run: this.#run, ...entry };
    await appendFile(this.#file, `${JSON.stringify(line)}\n`);
  }
}

function parseEntry(line: string): Entry | undefined {
  try {
    return Entry.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
