import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { randomUUID } from 'node:crypto';

export interface Measurement {
  readonly wall: number;
  /** User + system seconds of the command and its children. */
  readonly cpu: number;
  /** Largest single process, MB. */
  readonly memory: number;
  /** Most bytes that were in use in the folder beyond the start, MB. */
  readonly disk: number;
}

/** Runs a shell command under GNU time, watching the file system that holds `folder`. Throws when it fails. */
export async function measure(command: string, folder: string): Promise<Measurement> {
  const out = path.join(tmpdir(), `bench-${randomUUID()}`);
  const before = await used(folder);
  let peak = before;
  const watch = setInterval(() => {
    void used(folder).then((now) => {
      peak = Math.max(peak, now);
    });
  }, 100);
  const child = spawn('/usr/bin/time', ['-f', '%e %U %S %M', '-o', out, 'sh', '-ec', command], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  clearInterval(watch);
  if (code !== 0) throw new Error(`failed (${String(code)}): ${command}`);
  peak = Math.max(peak, await used(folder));
  const fields = (await readFile(out, 'utf8')).trim().split(/\s+/).map(Number);
  const [wall = 0, user = 0, system = 0, kilobytes = 0] = fields;
  return { wall, cpu: user + system, memory: kilobytes / 1000, disk: (peak - before) / 1e6 };
}

async function used(folder: string): Promise<number> {
  const facts = await statfs(folder);
  return (facts.blocks - facts.bfree) * facts.bsize;
}

/** The run with the median wall time. */
export function median(runs: readonly Measurement[]): Measurement {
  const sorted = [...runs].sort((a, b) => a.wall - b.wall);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error('no runs');
  return middle;
}
