import { execFileSync } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { loadavg } from 'node:os';
import path from 'node:path';
import { freshTarget, type Contest, type Entry } from './contest.ts';
import { measure, summary, type Measurement } from './measure.ts';
import type { Table } from './report.ts';

/** Holds a contest: in every round each entry runs once, in a fresh place. */
export async function hold(contest: Contest, folder: string, rounds: number): Promise<Table> {
  const loads: number[] = [];
  const results = new Map<string, Measurement[]>(contest.entries.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const entry of contest.entries) {
      if (round >= (entry.rounds ?? rounds)) continue;
      loads.push(loadavg()[0] ?? 0);
      results.get(entry.name)?.push(await runOnce(contest, entry, folder));
    }
  }
  const ours = results.get(contest.ours) ?? [];
  return {
    ...contest,
    rows: new Map([...results].map(([name, list]) => [name, summary(list, ours)])),
    runs: new Map([...results].map(([name, list]) => [name, list.length])),
    load: [Math.min(...loads), Math.max(...loads)],
  };
}

async function runOnce(contest: Contest, entry: Entry, folder: string): Promise<Measurement> {
  const { work, host, end } = await freshTarget(contest, folder);
  try {
    await entry.prepare?.(work);
    // What the run before has left in the page cache must not be written at the cost of this one.
    execFileSync('sync');
    const one = await measure(entry.command(work, host), work);
    const product = entry.archive === undefined ? 0 : (await stat(path.join(work, entry.archive))).size / 1e6;
    return { ...one, disk: Math.max(0, one.disk - product) };
  } finally {
    await end();
  }
}
