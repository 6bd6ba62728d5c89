import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { fetchBlobs } from '../../../src/bundle/fetch-blobs.ts';
import type { NearBlobs } from '../../../src/bundle/near-blobs.ts';
import { openPart } from '../../../src/bundle/part-file.ts';
import { planBundle } from '../../../src/bundle/plan.ts';
import { SILENT } from '../../../src/core/report.ts';
import { smallRelease } from '../../support/bundles.ts';
import { MemoryOrigins } from '../../support/memory-origins.ts';

it('asks for what is not here while it copies what is, also with one connection', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'deliver-fetch-'));
  try {
    const { lock, content } = smallRelease();
    const plan = planBundle(lock, []);
    const asked = Promise.withResolvers<undefined>();
    const origins = new MemoryOrigins(content, {
      onOpen: () => {
        asked.resolve(undefined);
      },
    });
    const [missing, ...others] = content.keys();
    const near: NearBlobs = {
      name: 'earlier-1.tar',
      has: (digest) => digest !== missing,
      // An earlier bundle on a slow disk, damaged at that: nothing of it is there before the missing blob was asked for.
      copy: async () => {
        await asked.promise;
        return false;
      },
      close: () => Promise.resolve(),
    };
    const part = await openPart(plan, path.join(folder, 'release-1.tar'));
    const work = { lanes: { first: 1, most: 1 }, report: SILENT, near, stop: new AbortController() };
    const fetched = await fetchBlobs(plan, part, origins, work);
    await part.close();
    expect(origins.opened[0]).toBe(missing);
    expect(new Set(origins.opened)).toEqual(new Set(content.keys()));
    expect(fetched).toMatchObject({ fetchedBlobs: others.length + 1, nearBlobs: 0 });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
