import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fill } from '../bench/registry.ts';
import { onConnectedSide } from './support/deliver.ts';
import { onHost, wipeHarbor, type Lab } from './support/lab.ts';
import { SEED, seeded } from './support/random.ts';
import { writeImageRelease } from './support/releases.ts';
import { prepare, type Setting } from './support/setting.ts';

const KILLS = 10;

describe('push, killed', () => {
  let setting: Setting;
  let bundle: string;

  beforeAll(async () => {
    setting = await prepare();
    const names = await fill(setting.lab.upstream.registry, 0.15);
    const manifest = await writeImageRelease(setting.folder, 'images', setting.lab.upstream.registry, names);
    const packed = await onConnectedSide(['pack', manifest, '--output', setting.folder, '--sign-key', setting.key.file]);
    expect(packed.code, packed.text).toBe(0);
    bundle = path.join(setting.folder, 'images-1.tar');
  }, 600_000);

  const push = (killAfter?: number) => {
    const { lab } = setting;
    const args = [
      'push',
      bundle,
      '--to',
      lab.harbor.host,
      '--ca',
      lab.harbor.ca,
      '--username',
      lab.harbor.username,
      '--password-stdin',
    ];
    const stdin = readFileSync(lab.harbor.passwordFile, 'utf8');
    return setting.deliver([...args, '--trust', `${setting.key.file}.pub`], {
      stdin,
      ...(killAfter === undefined ? {} : { killAfter }),
    });
  };

  it(`completes after a kill -9 at ${String(KILLS)} random points, and sends no finished blob again`, async () => {
    await wipeHarbor(setting.lab);
    const started = performance.now();
    const first = await push();
    expect(first.code, first.text).toBe(0);
    const duration = performance.now() - started;
    const whole = await tagged(setting.lab);
    expect(whole.length).toBeGreaterThan(10);
    const random = seeded(SEED);
    let midway = 0;
    for (let round = 0; round < KILLS; round++) {
      await wipeHarbor(setting.lab);
      const killed = await push(300 + random() * (duration - 300));
      const finished = uploaded(setting.lab);
      if (killed.code === 'SIGKILL' && finished.length > 0) midway++;
      const again = await push();
      expect(again.code, `seed ${String(SEED)}, round ${String(round)}: ${again.text}`).toBe(0);
      expect(
        uploaded(setting.lab)
          .slice(finished.length)
          .filter((digest) => finished.includes(digest)),
      ).toEqual([]);
      expect(await tagged(setting.lab)).toEqual(whole);
      const third = await push();
      expect(third.words).toContain('nothing to push');
    }
    expect(midway).toBeGreaterThan(2);
  });
});

const Request = z.object({ method: z.string(), path: z.string(), query: z.string(), status: z.number() });

function requests(lab: Lab): z.infer<typeof Request>[] {
  return readFileSync(lab.harbor.accessLog, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Request.parse(JSON.parse(line)));
}

/** Digests of blobs whose upload Harbor confirmed, in order. */
function uploaded(lab: Lab): string[] {
  return requests(lab)
    .filter(({ method, path: at, status }) => method === 'PUT' && status === 201 && at.includes('/blobs/uploads/'))
    .map(({ query }) => new URLSearchParams(query).get('digest') ?? '');
}

/** Tags that the registry holds with their digests. Its log does not do: it has no word of a manifest whose sender was killed before the answer. */
async function tagged(lab: Lab): Promise<string[]> {
  const found = "find . -path '*/_manifests/tags/*/current/link' -exec grep -H . {} +";
  const text = await onHost(lab, 'reg1', `cd /var/lib/docker-registry/docker/registry/v2/repositories && ${found}`);
  return text.trim().split('\n').sort();
}
