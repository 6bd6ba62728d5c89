import { beforeAll, describe, expect, it } from 'vitest';
import { harborRequests, kubectl, mark } from './support/lab.ts';
import { SEED, seeded } from './support/random.ts';
import { packSample, withOlderImage, type PackedRelease } from './support/releases.ts';
import { prepare, type Setting } from './support/setting.ts';

const KILLS = 10;

interface KillPoint {
  readonly text: string;
  readonly delay: number;
}

/** How long the steps take, in milliseconds, most of all the wait for pods. */
const STEPS = {
  Trusted: 200,
  Preflight: 1500,
  Mirrors: 300,
  Registry: 300,
  Namespaces: 500,
  Externals: 300,
  Apps: 4000,
} as const;

/** A moment within a step that is chosen at random; every second one while apps are applied. */
function killPoint(random: () => number): KillPoint {
  const names = Object.keys(STEPS) as (keyof typeof STEPS)[];
  const name = random() < 0.5 ? 'Apps' : (names[Math.floor(random() * names.length)] ?? 'Apps');
  return { text: `… ${name}`, delay: random() * STEPS[name] };
}

describe('install, killed', () => {
  let setting: Setting;
  let older: PackedRelease;

  beforeAll(async () => {
    setting = await prepare();
    older = await packSample(setting.folder, setting.key, '3.6.1', withOlderImage);
  }, 600_000);

  const install = (bundle: string, killAt?: KillPoint) =>
    setting.deliver(['install', bundle, '--site', setting.site, '--yes'], killAt === undefined ? {} : { killAt });

  /** Everything that an install decides; what the cluster itself adds to it is left out. */
  const state = async (): Promise<unknown> => {
    const list = JSON.parse(
      await kubectl(
        setting.lab,
        'get',
        'sts,deploy,svc,ing,cm,secret,endpointslice',
        '-n',
        'project',
        '-l',
        'app.kubernetes.io/managed-by=deliver',
        '-o',
        'json',
      ),
    ) as {
      items: { kind: string; metadata: { name: string }; spec?: Record<string, unknown>; data?: unknown }[];
    };
    return list.items.map(({ kind, metadata, spec, data }) => ({
      kind,
      name: metadata.name,
      spec,
      data: kind === 'Secret' ? Object.keys(data ?? {}) : data,
    }));
  };

  it(`between two versions, ends in the same state after a kill -9 at ${String(KILLS)} random points, and pushes nothing twice`, async () => {
    expect((await install(older.bundle)).code).toBe(0);
    const expected = new Map<string, unknown>([['3.6.1', await state()]]);
    expect((await install(setting.release.bundle)).code).toBe(0);
    expected.set('3.6.2', await state());
    const random = seeded(SEED);
    let killed = 0;
    for (let round = 0; round < KILLS; round++) {
      const [version, bundle] =
        round % 2 === 0 ? (['3.6.1', older.bundle] as const) : (['3.6.2', setting.release.bundle] as const);
      const from = mark(setting.lab);
      const first = await install(bundle, killPoint(random));
      if (first.code === 'SIGKILL') killed++;
      const again = await install(bundle);
      expect(again.code, `seed ${String(SEED)}, round ${String(round)}: ${again.text}`).toBe(0);
      // From the mirrors on, the journal has an entry; at the very end it may say already that all is done.
      if (first.code === 'SIGKILL' && first.text.includes('Mirrors') && !first.text.includes('Recorded'))
        expect(again.words).toMatch(/Going on from \d\d:\d\d UTC/);
      expect(await state(), `seed ${String(SEED)}, round ${String(round)}`).toEqual(expected.get(version));
      // Both versions are in Harbor since before the first kill.
      expect(
        harborRequests(setting.lab)
          .slice(from)
          .filter(({ path, method }) => method === 'PUT' && path.includes('/blobs/')),
      ).toEqual([]);
      const record = await kubectl(
        setting.lab,
        'get',
        'cm',
        '-n',
        'deliver-system',
        'release-gatekeeper-suite',
        '-o',
        'jsonpath={.data.version} {.data.status}',
      );
      expect(record).toBe(`${version} installed`);
    }
    expect(killed).toBeGreaterThan(5);
  });
});
