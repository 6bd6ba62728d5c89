/*
 * `npm run bench:bare`: from hosts that have nothing but sshd to an app that answers, by deliver and by hand-tuned shell
 * (by-hand.sh), on the same hosts of the lab, one after the other. Wants a lab of bare hosts (DELIVER_LAB_MODE=bare bash
 * test/lab/up.sh). Writes docs/benchmarks-bare-hosts.md. BENCH_ROUNDS: 3 when not set.
 */
import { execFileSync } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { packKubeKey } from '../e2e/support/bare-releases.ts';
import { prepareBare, resetBare } from '../e2e/support/bare.ts';
import { REPOSITORY } from '../e2e/support/deliver.ts';
import { stepTimes } from '../e2e/support/install-events.ts';

/** Seconds by stage, in their order; of deliver how long each took, by hand when each was done. */
type Stages = Readonly<Record<string, number>>;

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3);
const setting = await prepareBare();

/** One install of KubeKey's two files. */
async function byDeliver(): Promise<Stages> {
  const { bundle, site } = await packKubeKey(setting);
  const began = performance.now();
  const outcome = await setting.deliver(['install', bundle, '--site', site, '--yes', '--json']);
  const all = (performance.now() - began) / 1000;
  if (outcome.code !== 0) throw new Error(`deliver install ended with ${String(outcome.code)}:\n${outcome.text.slice(-2000)}`);
  return { ...Object.fromEntries(stepTimes(outcome).map(({ step, milliseconds }) => [step, milliseconds / 1000])), all };
}

async function byHand(): Promise<Stages> {
  const file = path.join(tmpdir(), `by-hand-${String(process.pid)}.json`);
  try {
    const env = { ...process.env, BY_HAND_JSON: file };
    execFileSync('bash', [path.join(REPOSITORY, 'test/bench/by-hand.sh')], { stdio: ['ignore', 2, 2], env, timeout: 600_000 });
    return z.record(z.string(), z.number()).parse(JSON.parse(await readFile(file, 'utf8')));
  } finally {
    await rm(file, { force: true });
  }
}

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): string => (sorted[index] ?? Number.NaN).toFixed(1);
  return `${at(Math.floor(sorted.length / 2))} (${at(0)}–${at(sorted.length - 1)})`;
}

function rows(runs: readonly Stages[]): string {
  const stages = Object.keys(runs[0] ?? {}).filter((stage) => stage !== 'all');
  return stages.map((stage) => `| ${stage} | ${spread(runs.map((run) => run[stage] ?? Number.NaN))} |`).join('\n');
}

const ours: Stages[] = [];
const theirs: Stages[] = [];
for (let round = 0; round < rounds; round++) {
  resetBare();
  ours.push(await byDeliver());
  resetBare();
  theirs.push(await byHand());
}
resetBare();
await rm(setting.folder, { recursive: true, force: true });

const last = (run: Stages): number => Object.values(run).at(-1) ?? Number.NaN;
const ratio = ours.map((run, index) => last(run) / last(theirs[index] ?? {})).toSorted((a, b) => a - b);
const text = `# From bare hosts to the app answering

Written by \`npm run bench:bare\`: three hosts of the lab (control plane, worker, registry) that have nothing but sshd, KubeKey's two
files, until the app answers behind both of its addresses. By hand: \`test/bench/by-hand.sh\`, tuned shell for the same hosts with the
same programs and images, that checks nothing, makes no accounts and can't run twice. Median of ${String(rounds)} rounds (least–most), one after the
other on ${String(availableParallelism())} cores that all hosts share, in seconds.

| | seconds |
|---|---|
| **deliver install** | ${spread(ours.map(last))} |
| by hand | ${spread(theirs.map(last))} |
| deliver ÷ by hand, round by round (aim ≤ 1.3) | ${(ratio[Math.floor(ratio.length / 2)] ?? Number.NaN).toFixed(2)} (${ratio.map((one) => one.toFixed(2)).join(', ')}) |

Steps of deliver, how long each took (hosts and runtime run beside registry and push):

| step | seconds |
|---|---|
${rows(ours)}

By hand, when each was done:

| stage | seconds |
|---|---|
${rows(theirs)}
`;
await writeFile(path.join(REPOSITORY, 'docs/benchmarks-bare-hosts.md'), text);
process.stdout.write(text);
