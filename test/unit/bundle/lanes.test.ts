import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { bringBlob } from '../../../src/bundle/bring-blob.ts';
import { Lanes } from '../../../src/bundle/lanes.ts';
import { openPart } from '../../../src/bundle/part-file.ts';
import { planBundle } from '../../../src/bundle/plan.ts';
import { WritePool } from '../../../src/bundle/write-pool.ts';
import { smallRelease } from '../../support/bundles.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const MB = 1e6;
/** Milliseconds between two words about the progress of a connection. */
const TICK = 25;

/** Connections through lanes whose clock is ours. */
class Traffic {
  readonly lanes = new Lanes(4, 16);
  readonly #ends: (() => void)[] = [];

  constructor() {
    onTestFinished(() => {
      this.lanes.close();
    });
  }

  /** As many connections as there is work for and lanes are open. @param rate bytes per second of each, by how many there are */
  pass(milliseconds: number, work: number, rate: (connections: number) => number): void {
    for (let at = 0; at < milliseconds; at += TICK) {
      while (this.#ends.length < Math.min(work, this.lanes.count)) this.#ends.push(this.lanes.began());
      vi.advanceTimersByTime(TICK);
      this.lanes.received((rate(this.#ends.length) * this.#ends.length * TICK) / 1000);
    }
  }
}

const slow = (): number => 10 * MB;

it('knows after a fifth of a second that connections are slow, also from one alone', () => {
  const traffic = new Traffic();
  traffic.pass(200, 1, slow);
  expect(traffic.lanes.isSlow).toBe(true);
  expect(traffic.lanes.count).toBe(8);
});

it('opens all lanes within 600 ms where each brings as much as those before', () => {
  const traffic = new Traffic();
  traffic.pass(600, 100, slow);
  expect(traffic.lanes.count).toBe(16);
});

it('leaves a fast way alone', () => {
  const traffic = new Traffic();
  traffic.pass(5000, 100, () => 80 * MB);
  expect(traffic.lanes.isSlow).toBe(false);
  expect(traffic.lanes.count).toBe(4);
});

it('opens no more where all together get no faster', () => {
  const traffic = new Traffic();
  traffic.pass(10_000, 100, (connections) => (20 * MB) / connections);
  expect(traffic.lanes.count).toBe(8);
});

it('opens no more for lanes that have nothing to do', () => {
  const traffic = new Traffic();
  traffic.pass(10_000, 2, slow);
  expect(traffic.lanes.count).toBe(8);
});

it('is not misled by a blob that is too small to tell a rate', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'deliver-lanes-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { lock, content } = smallRelease();
  const plan = planBundle(lock, []);
  const part = await openPart(plan, path.join(folder, 'release-1.tar'));
  onTestFinished(() => part.close());
  const { lanes } = new Traffic();
  const pool = new WritePool(part.bytes);
  onTestFinished(() => pool.close());
  const origins = {
    describe: (digest: string) => digest,
    open: (digest: string) => Promise.resolve(late(content, digest)),
  };
  for (const { digest, content: known, ...member } of plan.members) {
    if (digest === undefined || known !== undefined) continue;
    const way = { file: part.bytes, pool, lanes, spreads: new Set<never>(), onBytes: () => undefined };
    await bringBlob({ ...member, digest }, origins, { ...way, signal: new AbortController().signal });
  }
  expect(lanes.isSlow).toBe(false);
  expect(lanes.count).toBe(4);
});

/** A server that takes its time for a few bytes. */
async function* late(content: ReadonlyMap<string, Uint8Array>, digest: string): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  vi.advanceTimersByTime(300);
  yield content.get(digest) ?? Buffer.alloc(0);
}
