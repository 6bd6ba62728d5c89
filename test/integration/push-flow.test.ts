import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openBundle } from '../../src/bundle/open-bundle.ts';
import { planBundle } from '../../src/bundle/plan.ts';
import { writeBundle } from '../../src/bundle/write-bundle.ts';
import { parseDigest, verified, type Digest } from '../../src/core/digest.ts';
import { SILENT } from '../../src/core/report.ts';
import { parseTarget, pushFlow } from '../../src/flows/push.ts';
import type { PushResult } from '../../src/registry/push-content.ts';
import { createRegistry } from '../../src/registry/registry.ts';
import { openSiteRegistry } from '../../src/registry/site-registry.ts';
import { startMemoryRegistry } from '../lab/harbor/memory-registry.ts';
import { smallRelease } from '../support/bundles.ts';
import { MemoryOrigins } from '../support/memory-origins.ts';
import { noise } from '../support/images.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'deliver-push-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function run(path: string, to: string): Promise<{ result: PushResult; summaries: string[] }> {
  const flow = pushFlow(
    { bundlePath: path, to },
    { openBundle, checkTrust: () => 'release@corp', openRegistry: (host) => openSiteRegistry({ host }) },
  );
  const summaries: string[] = [];
  for (const step of flow.steps) summaries.push((await step.run(SILENT, new AbortController().signal)).summary);
  return { result: flow.result(), summaries };
}

it('sends a bundle from its place in the file, and says what it did', async () => {
  const { lock, content } = smallRelease();
  const path = join(folder, 'small.tar');
  await writeBundle(planBundle(lock, []), path, new MemoryOrigins(content));
  const registry = await startMemoryRegistry();
  try {
    const first = await run(path, `${registry.host}/mirror`);
    expect(first.summaries[0]).toBe('release@corp');
    expect(first.summaries[2]).toMatch(/^3 images, [\d.]+ KB pushed$/);
    expect([...registry.content.repositories.keys()].sort()).toEqual([
      'mirror/charts/web',
      'mirror/docker.io/library/busybox',
      'mirror/dockerhub.kubekey.local/project/gatekeeper',
    ]);
    const second = await run(path, `${registry.host}/mirror`);
    expect(second.summaries[2]).toBe('nothing to push; 3 images are already there');
  } finally {
    await registry.close();
  }
});

it('streams a large blob in memory that does not grow with it', async () => {
  const size = 300 * 1024 * 1024;
  const piece = noise(1024 * 1024, 'piece');
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < size; at += piece.byteLength) yield Buffer.from(piece);
  }
  const digest = await digestOfAll(bytes());
  const registry = await startMemoryRegistry({ folder });
  const client = createRegistry({ host: registry.host, role: 'site' });
  try {
    const before = process.memoryUsage().rss;
    let most = before;
    const blob = { digest, size };
    await client.putBlob('a/b', blob, () => verified(bytes(), blob, 'the test'), {
      onBytes: () => {
        most = Math.max(most, process.memoryUsage().rss);
      },
    });
    expect(await client.hasBlob('a/b', digest)).toBe(true);
    expect((most - before) / 1024 / 1024).toBeLessThan(200);
  } finally {
    await client.close();
    await registry.close();
  }
});

async function digestOfAll(bytes: AsyncIterable<Uint8Array>): Promise<Digest> {
  const hash = createHash('sha256');
  for await (const chunk of bytes) hash.update(chunk);
  return parseDigest(`sha256:${hash.digest('hex')}`);
}

it('understands HOST and HOST/PROJECT, and nothing longer', () => {
  expect(parseTarget('harbor.plant7')).toEqual({ registryHost: 'harbor.plant7' });
  expect(parseTarget('harbor.plant7:8443/mirror/')).toEqual({ registryHost: 'harbor.plant7:8443', project: 'mirror' });
  for (const wrong of ['', '/mirror', 'harbor.plant7/a/b', 'harbor.plant7//a']) {
    expect(() => parseTarget(wrong)).toThrowWithCode('E_USAGE');
  }
});
