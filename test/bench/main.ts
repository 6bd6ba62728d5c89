/**
 * `npm run bench`: whole commands against crane and skopeo, checksums, and the limit of this machine, on two cores and loopback
 * servers. Writes docs/benchmarks.md; `npm run bench -- pack push` holds only these and writes nothing; `npm run bench -- big`
 * takes 9 GB through pack, verify and push and writes its part. BENCH_ROUNDS and BENCH_CORES: how often, on how many cores;
 * BENCH_SCALE=0.1: a tenth of the bytes. BENCH_DIR: where, with 8 GB free (big: 20 GB).
 */
import { availableParallelism } from 'node:os';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { holdBig } from './big.ts';
import type { Contest } from './contest.ts';
import { packContest, pushContest, quickContest, verifyContest } from './contests.ts';
import { openCorpus } from './corpus-setting.ts';
import { hold } from './hold.ts';
import {
  againContest,
  bucketContest,
  slowPackContest,
  slowPushContest,
  splitContest,
  tlsContest,
  verifyFolderContest,
} from './more-contests.ts';
import { aims, bigPart, report, table, withBigPart, type Table } from './report.ts';
import { pinTo, setUp } from './setup.ts';
import { startSlowLink } from './slow-link.ts';

const env = process.env;
const rounds = Number(env['BENCH_ROUNDS'] ?? '5');
const scale = Number(env['BENCH_SCALE'] ?? '1');
const cores = Math.min(availableParallelism(), Number(env['BENCH_CORES'] ?? '2'));
const wanted = process.argv.slice(2);
const repository = path.resolve(import.meta.dirname, '../..');
const document = path.join(repository, 'docs/benchmarks.md');
/** For what is over in a blink. */
const QUICK_ROUNDS = 15;

const tools = setUp(repository);
pinTo(cores);
const folder = await mkdtemp(path.join(env['BENCH_DIR'] ?? '/var/tmp', 'deliver-bench-'));
const place = { tools, cores, folder };
const ends: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true })];
let ended: Promise<void> | undefined;
const clean = (): Promise<void> =>
  (ended ??= (async () => {
    for (const end of ends.reverse()) await end().catch(() => undefined);
  })());
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    void clean().finally(() => process.exit(130));
  });
}

async function all(): Promise<void> {
  const whole = await openCorpus(place, 'bench', scale);
  ends.push(whole.end);
  const quarter = await openCorpus(place, 'quarter', scale / 4);
  ends.push(quarter.end);
  const link = await startSlowLink(tools.toxiproxy);
  ends.push(() => link.stop());
  const { setting } = whole;
  const far = { ...quarter.setting, upstream: await link.to(quarter.setting.upstream) };
  await writeFile(far.release, (await readFile(far.release, 'utf8')).replaceAll(quarter.setting.upstream, far.upstream));
  const contests: Record<string, () => Contest | Promise<Contest>> = {
    pack: () => packContest(setting),
    push: () => pushContest(setting),
    'slow-pack': () => slowPackContest(far),
    'slow-push': () => slowPushContest(far, link),
    verify: () => verifyContest(setting),
    again: () => againContest(setting),
    'slow-again': () => againContest(far, ' over the slow link'),
    split: () => splitContest(setting),
    'verify-folder': () => verifyFolderContest(setting),
    tls: () => tlsContest(setting),
    bucket: () => bucketContest(setting),
    quick: () => quickContest(setting),
  };
  const unknown = wanted.find((name) => !Object.hasOwn(contests, name));
  if (unknown !== undefined) throw new Error(`there is no ${unknown}; there are ${Object.keys(contests).join(', ')}, big`);
  const tables: Table[] = [];
  for (const [name, open] of Object.entries(contests)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const contest = await open();
    const end = contest.end ?? (() => Promise.resolve());
    ends.push(end);
    const held = await hold(contest, folder, name === 'quick' ? rounds * (QUICK_ROUNDS / 5) : rounds);
    await end();
    ends.splice(ends.indexOf(end), 1);
    tables.push(held);
    process.stdout.write(`${table(held)}\n${aims([held])}`);
  }
  const size = (await stat(setting.bundle)).size;
  const facts = { size, images: setting.references.length, rounds, cores, versions: tools.versions };
  const before = bigPart(await readFile(document, 'utf8').catch(() => ''));
  if (wanted.length === 0 && scale === 1) await writeFile(document, withBigPart(report(tables, facts), before));
}

try {
  if (wanted.join() === 'big') {
    const part = await holdBig(place);
    process.stdout.write(part);
    await writeFile(document, withBigPart(await readFile(document, 'utf8'), part));
  } else await all();
} finally {
  await clean();
}
