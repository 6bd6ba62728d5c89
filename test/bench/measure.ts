import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstat, mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';

export interface Measurement {
  readonly wall: number;
  /** User + system seconds of the command and its children. */
  readonly cpu: number;
  /** Largest single process, MB. */
  readonly memory: number;
  /** Most that was allocated in the folder beyond the start, MB. */
  readonly disk: number;
}

const LONGEST = 10 * 60_000;

/**
 * Runs a shell command under GNU time, with its temporary files in `folder` too, and watches what that folder takes.
 * Throws when it fails or runs for more than ten minutes.
 */
export async function measure(command: string, folder: string): Promise<Measurement> {
  const temporary = path.join(folder, 'tmp');
  await mkdir(temporary, { recursive: true });
  const out = path.join(folder, 'time.txt');
  const log = await open(path.join(folder, 'stderr.txt'), 'w+');
  const before = await allocated(folder);
  let peak = before;
  const began = performance.now();
  const child = spawn('/usr/bin/time', ['-f', '%U %S %M', '-o', out, 'sh', '-ec', command], {
    stdio: ['ignore', 'ignore', log.fd],
    env: { ...process.env, TMPDIR: temporary, XDG_RUNTIME_DIR: temporary },
    detached: true,
  });
  const stop = (): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  };
  process.once('exit', stop);
  const late = setTimeout(stop, LONGEST);
  const watch = setInterval(() => {
    void allocated(folder).then((now) => {
      peak = Math.max(peak, now);
    });
  }, 100);
  const [code] = (await once(child, 'exit')) as [number | null];
  const wall = (performance.now() - began) / 1000;
  clearTimeout(late);
  clearInterval(watch);
  process.off('exit', stop);
  await log.close();
  if (code !== 0)
    throw new Error(`failed (${String(code)}): ${command}\n${await readFile(path.join(folder, 'stderr.txt'), 'utf8')}`);
  peak = Math.max(peak, await allocated(folder));
  const [user = 0, system = 0, kilobytes = 0] = (await readFile(out, 'utf8')).trim().split(/\s+/).map(Number);
  await rm(out);
  return { wall, cpu: user + system, memory: kilobytes / 1000, disk: (peak - before) / 1e6 };
}

/** Bytes on disk below a folder; links are not followed, what vanishes meanwhile is not counted. */
async function allocated(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  let sum = 0;
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const found = await lstat(path.join(entry.parentPath, entry.name)).catch(() => undefined);
    sum += (found?.blocks ?? 0) * 512;
  }
  return sum;
}

/** Several runs of the same command. */
export interface Summary extends Measurement {
  /** Wall times, least and most. */
  readonly spread: readonly [number, number];
  /** Wall time over that of ours in the same round: median, least and most. */
  readonly ratio: readonly [number, number, number];
}

/** The run with the median wall time, with the most memory and disk of all runs. @param ours round by round */
export function summary(runs: readonly Measurement[], ours: readonly Measurement[]): Summary {
  const sorted = [...runs].sort((a, b) => a.wall - b.wall);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  if (middle === undefined) throw new Error('no runs');
  const ratios = runs.flatMap(({ wall }, round) => wall / (ours[round]?.wall ?? NaN)).filter((ratio) => !Number.isNaN(ratio));
  return {
    ...middle,
    memory: Math.max(...runs.map(({ memory }) => memory)),
    disk: Math.max(...runs.map(({ disk }) => disk)),
    spread: [sorted[0]?.wall ?? 0, sorted.at(-1)?.wall ?? 0],
    ratio: middleOf(ratios),
  };
}

function middleOf(values: readonly number[]): [number, number, number] {
  const sorted = [...values].sort((a, b) => a - b);
  return [sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN, sorted[0] ?? NaN, sorted.at(-1) ?? NaN];
}
