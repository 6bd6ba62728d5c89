/**
 * `npm run bench`: pack, push and verify of ~2 GB in 20 images against skopeo and crane on the same loopback registries,
 * and against the limit of this machine (read + sha256 + write of the same bytes). Writes docs/benchmarks.md.
 * BENCH_SCALE=0.1 takes a tenth of the bytes, BENCH_RUNS and BENCH_CORES say how often and on how many cores,
 * BENCH_ONLY=pack,push which tables; only a whole run at full scale writes the document. BENCH_DIR: where, with 7 GB free.
 */
import { execFileSync } from 'node:child_process';
import { availableParallelism, loadavg } from 'node:os';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { freshTarget, HOST, packContest, pushContest, quickContest, verifyContest, type Contest } from './contests.ts';
import { measure, summary, type Measurement } from './measure.ts';
import { fill, startRegistry } from './registry.ts';
import { report, table, type Table } from './report.ts';
import { pinTo, setUp } from './setup.ts';

const env = process.env;
const runs = Number(env['BENCH_RUNS'] ?? '5');
const scale = Number(env['BENCH_SCALE'] ?? '1');
const cores = Math.min(availableParallelism(), Number(env['BENCH_CORES'] ?? '2'));
const only = env['BENCH_ONLY']?.split(',');
const repository = path.resolve(import.meta.dirname, '../..');
const CONTESTS = { pack: packContest, push: pushContest, verify: verifyContest, quick: quickContest };

async function hold(contest: Contest, folder: string): Promise<Table> {
  const loads: number[] = [];
  const results = new Map<string, Measurement[]>(contest.entries.map(({ name }) => [name, []]));
  for (let round = 0; round < runs; round++) {
    for (const { name, prepare, command, archive } of contest.entries) {
      const { work, host, end } = await freshTarget(contest, folder);
      try {
        await prepare?.(work);
        // What the run before has left in the page cache must not be written at the cost of this one.
        execFileSync('sync');
        loads.push(loadavg()[0] ?? 0);
        const one = await measure(command(work, host), work);
        const product = archive === undefined ? 0 : (await stat(path.join(work, archive))).size / 1e6;
        results.get(name)?.push({ ...one, disk: Math.max(0, one.disk - product) });
      } finally {
        await end();
      }
    }
  }
  const rows = new Map([...results].map(([name, list]) => [name, summary(list)]));
  return { title: contest.title, ours: contest.ours, rows, load: [Math.min(...loads), Math.max(...loads)] };
}

function releaseText(upstream: string, references: readonly string[]): string {
  const images = references.map((reference) => `  - ${HOST}/${reference}\n`).join('');
  return `apiVersion: deliver/v1
kind: Release
metadata: { name: bench, version: "1" }
platforms: [linux/amd64]
sources: { registries: { ${HOST}: { mirror: "${upstream}" } } }
images:
${images}`;
}

const tools = setUp(repository);
pinTo(cores);
const folder = await mkdtemp(path.join(env['BENCH_DIR'] ?? '/var/tmp', 'deliver-bench-'));
const corpusFolder = path.join(tools.cache, `bench-corpus-1-${String(scale)}`);
await mkdir(corpusFolder, { recursive: true });
const upstream = await startRegistry(path.join(corpusFolder, 'storage'));
let ended: Promise<void> | undefined;
const clean = (): Promise<void> => (ended ??= upstream.stop().then(() => rm(folder, { recursive: true, force: true })));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    void clean().finally(() => process.exit(130));
  });
}
try {
  const references = await fill(upstream.host, scale);
  const release = path.join(folder, 'bench.yaml');
  await writeFile(release, releaseText(upstream.host, references));
  const bundle = path.join(folder, 'bench-1.tar');
  for (const words of [`resolve ${release}`, `pack ${release} --output ${folder}`]) {
    execFileSync('sh', ['-ec', `${tools.deliver} ${words}`], { stdio: ['ignore', 'ignore', 'inherit'], timeout: 300_000 });
  }
  const setting = { tools, release, bundle, upstream: upstream.host, references, cores };
  const tables: Table[] = [];
  for (const [name, contest] of Object.entries(CONTESTS)) {
    if (only?.includes(name) === false) continue;
    const held = await hold(contest(setting), folder);
    tables.push(held);
    process.stdout.write(table(held));
  }
  const facts = { size: (await stat(bundle)).size, images: references.length, runs, cores, versions: tools.versions };
  if (only === undefined && scale === 1) await writeFile(path.join(repository, 'docs/benchmarks.md'), report(tables, facts));
} finally {
  await clean();
}
