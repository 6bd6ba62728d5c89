/**
 * `npm run bench`: pack and push of ~2 GB in 20 images against skopeo and crane on the same loopback registries,
 * and against the limit of this machine (read + sha256 + write of the same bytes). Writes docs/benchmarks.md.
 */
import { cpus, homedir } from 'node:os';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fill, startRegistry } from './registry.ts';
import { measure, median, type Measurement } from './measure.ts';
import { commands, type Contest } from './contests.ts';
import { report } from './report.ts';

const runs = Number(process.env['BENCH_RUNS'] ?? '3');
const scale = Number(process.env['BENCH_SCALE'] ?? '1');
const repository = path.resolve(import.meta.dirname, '../..');
const cache = process.env['DELIVER_LAB_CACHE'] ?? path.join(homedir(), '.cache/deliver-lab');

async function run(contest: Contest, folder: string): Promise<ReadonlyMap<string, Measurement>> {
  const results = new Map<string, Measurement[]>();
  for (let round = 0; round < runs; round++) {
    for (const { name, prepare, command, archive } of contest.entries) {
      const target = await contest.before(folder);
      if (prepare !== undefined) await measure(prepare(target), folder);
      const one = await measure(command(target), folder);
      // The archive itself is the product; what a tool needs beyond it is extra.
      const product = archive === undefined ? contest.product : (await stat(archive(target))).size / 1e6;
      const list = results.get(name) ?? [];
      list.push({ ...one, disk: Math.max(0, one.disk - product) });
      results.set(name, list);
      await contest.after();
    }
  }
  return new Map([...results].map(([name, list]) => [name, median(list)]));
}

const folder = await mkdtemp(path.join(process.env['BENCH_DIR'] ?? '/var/tmp', 'deliver-bench-'));
const corpusFolder = path.join(cache, `bench-corpus-1-${String(scale)}`);
await mkdir(corpusFolder, { recursive: true });
const upstream = await startRegistry(path.join(corpusFolder, 'storage'));
try {
  const references = await fill(upstream.host, scale);
  const { pack, push, size } = await commands({ folder, upstream: upstream.host, references, repository, cache });
  const packed = await run(pack, folder);
  const pushed = await run(push, folder);
  const text = report({ packed, pushed, size, images: references.length, runs, cores: cpus().length });
  await writeFile(path.join(repository, 'docs/benchmarks.md'), text);
  process.stdout.write(text);
} finally {
  await upstream.stop();
  await rm(folder, { recursive: true, force: true });
}
