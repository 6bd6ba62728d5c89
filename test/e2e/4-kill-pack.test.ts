import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { fill } from '../bench/registry.ts';
import { onConnectedSide } from './support/deliver.ts';
import { readLab, type Lab } from './support/lab.ts';
import { SEED, seeded } from './support/random.ts';
import { signingKey, writeImageRelease, type SigningKey } from './support/releases.ts';

const KILLS = 10;

describe('pack, killed', () => {
  let lab: Lab;
  let folder: string;
  let key: SigningKey;
  let manifest: string;

  beforeAll(async () => {
    lab = readLab();
    folder = await mkdtemp(path.join(tmpdir(), 'deliver-e2e-'));
    key = await signingKey(folder);
    const names = await fill(lab.upstream.registry, 0.3);
    manifest = await writeImageRelease(folder, 'killed', lab.upstream.registry, names);
    const resolved = await onConnectedSide(['resolve', manifest]);
    expect(resolved.code, resolved.text).toBe(0);
  }, 600_000);

  const pack = (output: string, killAfter?: number) =>
    onConnectedSide(['pack', manifest, '--output', output, '--sign-key', key.file], killAfter === undefined ? {} : { killAfter });

  it(`ends in the same bytes after a kill -9 at ${String(KILLS)} random points, and fetches no finished blob again`, async () => {
    const whole = path.join(folder, 'whole');
    const started = performance.now();
    expect((await pack(whole)).code).toBe(0);
    const duration = performance.now() - started;
    const expected = await digestOf(path.join(whole, 'killed-1.tar'));
    const random = seeded(SEED);
    let midway = 0;
    for (let round = 0; round < KILLS; round++) {
      const output = path.join(folder, `round-${String(round)}`);
      const killed = await pack(output, 250 + random() * (duration - 200));
      const bundle = path.join(output, 'killed-1.tar');
      const finished = finishedBlobs(`${bundle}.part.journal`);
      if (killed.code === 'SIGKILL' && finished.length > 0) midway++;
      if (killed.code === 'SIGKILL' && existsSync(`${bundle}.part`)) expect(existsSync(bundle)).toBe(false);
      const before = fetched(lab).length;
      const again = await pack(output);
      expect(again.code, `seed ${String(SEED)}, round ${String(round)}: ${again.text}`).toBe(0);
      const refetched = fetched(lab).slice(before);
      for (const digest of finished) expect(refetched).not.toContain(digest);
      expect(await digestOf(bundle)).toBe(expected);
      await rm(output, { recursive: true });
    }
    // A test in which nothing was under way would prove nothing.
    expect(midway).toBeGreaterThan(2);
  });
});

/** Digests in the journal of a partial bundle; none when it was not begun or is whole. */
function finishedBlobs(journal: string): string[] {
  if (!existsSync(journal)) return [];
  return readFileSync(journal, 'utf8')
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('sha256:'));
}

/** Digests of the blobs that the upstream registry was asked for, in order. */
function fetched(lab: Lab): string[] {
  return [...readFileSync(lab.upstream.accessLog, 'utf8').matchAll(/"GET \/v2\/[^ ]+\/blobs\/(sha256:[0-9a-f]{64})/g)].map(
    (match) => match[1] ?? '',
  );
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest('hex');
}
