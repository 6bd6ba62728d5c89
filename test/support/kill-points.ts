import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { expect } from 'vitest';
import { seeded, SEED } from '../e2e/support/random.ts';

const DEV = new URL('../../bin/dev.js', import.meta.url).pathname;

/** When a run was killed: before its work began, within it, or not at all because it ended first. */
export type Moment = 'before' | 'within' | 'after';

export interface KilledRun {
  readonly moment: Moment;
  /** Milliseconds from the start of the process to the first sign of work, and from there to the end. */
  readonly startup: number;
  readonly work: number;
  /** Exit code, null when it was killed. */
  readonly code: number | null;
  readonly text: string;
}

export interface Command {
  readonly args: readonly string[];
  readonly cwd: string;
  /** Id of the step that does the work. */
  readonly step: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Pieces that get their names at the very end, where a moment drawn by chance hardly falls. */
  readonly named?: { readonly folder: string; readonly names: readonly string[] };
}

/** Where to strike: so many milliseconds after the process starts, or after its work begins; or when so many pieces have their names. */
export type Strike = { readonly afterStart: number } | { readonly afterSign: number } | { readonly afterNames: number };

/** Runs deliver; kills it (kill -9) where it is told to. No strike: to its end. */
export async function runAndKill({ args, cwd, step, env = {}, named }: Command, strike?: Strike): Promise<KilledRun> {
  const began = performance.now();
  const child = spawn(process.execPath, [DEV, ...args, '--json'], {
    cwd,
    env: { ...process.env, ...env, DEBUG: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Listened for from the start: it may be gone before it is killed.
  const gone = once(child, 'close') as Promise<[number | null]>;
  const timers = [setTimeout(() => child.kill('SIGKILL'), 60_000)];
  const killAfter = (delay: number): void => {
    timers.push(setTimeout(() => child.kill('SIGKILL'), delay));
  };
  let text = '';
  let signAt: number | undefined;
  const read = (chunk: Buffer): void => {
    text += chunk.toString();
    if (signAt !== undefined || !hasStep(text, step)) return;
    signAt = performance.now();
    if (strike !== undefined && 'afterSign' in strike) killAfter(strike.afterSign);
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  if (strike !== undefined && 'afterStart' in strike) killAfter(strike.afterStart);
  const seen = new Set<string>();
  const watcher =
    named === undefined
      ? undefined
      : watch(named.folder, (_event, name) => {
          if (name !== null && named.names.includes(name)) seen.add(name);
          if (strike !== undefined && 'afterNames' in strike && seen.size >= strike.afterNames) child.kill('SIGKILL');
        });
  const [code] = await gone;
  watcher?.close();
  timers.forEach(clearTimeout);
  const ended = performance.now();
  const moment = code !== null ? 'after' : signAt === undefined ? 'before' : 'within';
  return { moment, startup: (signAt ?? ended) - began, work: signAt === undefined ? 0 : ended - signAt, code, text };
}

/** Whether the events say that a step has begun. */
function hasStep(text: string, step: string): boolean {
  return text.split('\n').some((line) => line.includes('"step-start"') && line.includes(`"step":"${step}"`));
}

/** What was shown of one verb. */
export interface Tally {
  readonly verb: string;
  kills: number;
  within: number;
  before: number;
  /** Runs that ended before they were struck; they complete a chain and are no kill. */
  ended: number;
  /** Pieces that were finished when a run was killed, summed over all kills. */
  finished: number;
  /** Of those: done again later. Must be 0. */
  again: number;
}

export interface Chain {
  readonly command: Command;
  /** Looks at what a killed run left; @returns how many pieces were finished then. */
  afterKill(): Promise<number>;
  /** Looks at the end state. @returns how many finished pieces were done again */
  atEnd(): Promise<number>;
}

/**
 * Kills one command after the other at random points, up to `most` times on the same state, then lets it end; until `kills`
 * were counted. Kills fall over the measured length of the work, one in ten over the start of the process.
 */
export async function killPoints(
  verb: string,
  { kills, most, random }: { readonly kills: number; readonly most: number; readonly random: () => number },
  begin: (round: number) => Promise<Chain>,
  check: (run: KilledRun) => void,
): Promise<Tally> {
  const tally: Tally = { verb, kills: 0, within: 0, before: 0, ended: 0, finished: 0, again: 0 };
  const first = await begin(0);
  const whole = await runAndKill(first.command);
  check(whole);
  await first.atEnd();
  let work = whole.work;
  for (let round = 1; tally.kills < kills && round <= kills * 4; round++) {
    const chain = await begin(round);
    let last: KilledRun | undefined;
    for (let blow = 0; blow < most && tally.kills < kills; blow++) {
      last = await runAndKill(chain.command, strikeOf(tally.kills, chain.command, random(), { startup: whole.startup, work }));
      if (last.moment === 'after') break;
      tally.kills += 1;
      tally[last.moment] += 1;
      tally.finished += await chain.afterKill();
    }
    if (last?.moment === 'after') tally.ended += 1;
    else last = await runAndKill(chain.command);
    check(last);
    // A machine that others keep busy is not always as slow as at first.
    work = (work + last.work) / 2;
    tally.again += await chain.atEnd();
  }
  return tally;
}

/** @param drawn from 0 to 1 */
function strikeOf(
  kills: number,
  { named }: Command,
  drawn: number,
  { startup, work }: { readonly startup: number; readonly work: number },
): Strike {
  if (kills % 10 === 9) return { afterStart: drawn * startup };
  if (named !== undefined && kills % 5 === 1) return { afterNames: 1 + Math.floor(drawn * (named.names.length / 2)) };
  return { afterSign: drawn * work };
}

/** E2E_SEED repeats a run, E2E_KILLS multiplies the points. */
const TIMES = Number(process.env['E2E_KILLS'] ?? 1);
export const LIMIT = { timeout: 600_000 * TIMES };

export function pointsOf(
  verb: string,
  kills: number,
): { readonly kills: number; readonly most: number; readonly random: () => number } {
  return { kills: kills * TIMES, most: 4, random: seeded(SEED + verb.length * 1000 + kills) };
}

export function check({ code, text }: KilledRun): void {
  expect(code, `seed ${String(SEED)}: ${text}`).toBe(0);
}

/** All kills were made, most of them within the work (a test in which nothing was under way would prove nothing), nothing twice. */
export function judge(tally: Tally, wanted: number): void {
  expect(tally.kills, JSON.stringify(tally)).toBe(wanted * TIMES);
  expect(tally.within, JSON.stringify(tally)).toBeGreaterThan(tally.kills * (wanted < 10 ? 0.3 : 0.7));
  expect(tally.again, JSON.stringify(tally)).toBe(0);
}

/** The lines of docs/kill-points.md. */
export function showTallies(tallies: readonly Tally[]): void {
  const rows = tallies.map(
    ({ verb, kills, within, before, ended, finished, again }) =>
      `| ${[verb, kills, within, before, ended, finished, again].join(' | ')} |`,
  );
  process.stdout.write(
    `seed ${String(SEED)}: verb, kills, within, before, ended first, finished at kills, again\n${rows.join('\n')}\n`,
  );
}
