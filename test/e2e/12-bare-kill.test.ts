import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packBare } from './support/bare-releases.ts';
import { joinSecrets, nodesOf, power, prepareBare, resetBare, writeBareSite, type BareSetting } from './support/bare.ts';
import type { Outcome, RunOptions } from './support/deliver.ts';
import { gatekeeperAnswers } from './support/ingress-probe.ts';
import { beginningOf, stepTimes } from './support/install-events.ts';
import { escapes, onHost } from './support/lab.ts';
import { SEED, seeded } from './support/random.ts';
import type { PackedRelease } from './support/releases.ts';

/** How often deliver is killed in all; every bring-up from bare hosts takes up to this many of them, one after another. */
const KILLS = Number(process.env['E2E_KILLS'] ?? 20);
const PER_BRING_UP = 4;
const NODES = ['cp1=True/v1.34.4', 'w1=True/v1.34.4'];
const HOSTS = ['cp1', 'w1', 'reg1'] as const;

describe('an install on bare hosts, stopped in the middle', () => {
  let setting: BareSetting;
  let release: PackedRelease;
  let site: string;
  /** Of an install that nothing disturbed. */
  let steps: ReturnType<typeof stepTimes>;

  const install = (options: RunOptions = {}): Promise<Outcome> =>
    setting.deliver(['install', release.bundle, '--site', site, '--yes', '--json'], options);

  const expectWhole = async (outcome: Outcome, where: string): Promise<void> => {
    expect(outcome.code, `${where}: ${outcome.text}`).toBe(0);
    expect(await nodesOf(setting.lab, 'cp1'), where).toEqual(NODES);
    expect(await gatekeeperAnswers(setting.lab), where).toHaveLength(2);
    expect(await joinSecrets(setting.lab, 'cp1'), where).not.toContain('bootstrap.kubernetes.io/token');
    for (const host of HOSTS) {
      const halves = await onHost(setting.lab, host, "find /usr/local /opt /etc /var/lib/deliver -name '*.part'");
      expect(halves, `${where}, ${host}`).toBe('');
    }
  };

  /** A moment of the undisturbed install within this share of it, as a step and a time since its beginning. */
  const momentIn = (from: number, to: number, random: number): NonNullable<RunOptions['killAt']> => {
    const total = steps.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    let left = (from + (to - from) * random) * total;
    for (const { step, milliseconds } of steps) {
      if (left < milliseconds) return { text: beginningOf(step), delay: left };
      left -= milliseconds;
    }
    throw new Error('the install had no steps');
  };

  beforeAll(async () => {
    setting = await prepareBare();
    release = await packBare(setting, { kubernetes: 'v1.34.4' });
    site = await writeBareSite(setting, 'killed');
    const undisturbed = await install();
    await expectWhole(undisturbed, 'undisturbed');
    steps = stepTimes(undisturbed);
  }, 1_200_000);

  afterAll(async () => {
    await rm(setting.folder, { recursive: true, force: true });
  });

  it(
    `ends as it would have, after a kill -9 at ${String(KILLS)} random points`,
    async () => {
      const random = seeded(SEED);
      let killed = 0;
      for (let bringUp = 0; killed < KILLS && bringUp < KILLS; bringUp++) {
        resetBare();
        for (let part = 0; part < PER_BRING_UP && killed < KILLS; part++) {
          const killAt = momentIn(part / PER_BRING_UP, (part + 1) / PER_BRING_UP, random());
          const where = `seed ${String(SEED)}, bring-up ${String(bringUp)}, kill in ${killAt.text} + ${killAt.delay.toFixed(0)} ms`;
          const outcome = await install({ killAt });
          if (outcome.code === 'SIGKILL') killed++;
          else expect(outcome.code, `${where}: ${outcome.text}`).toBe(0);
        }
        await expectWhole(await install(), `seed ${String(SEED)}, bring-up ${String(bringUp)}`);
      }
      expect(killed).toBe(KILLS);
    },
    KILLS * 300_000,
  );

  it('a host that loses power is reported by name, the others are whole, and the next run completes', async () => {
    resetBare();
    let off = false;
    const outcome = await install({
      onOutput: (text) => {
        if (off || !text.includes(beginningOf('kubernetes'))) return;
        off = true;
        power('w1', 'off');
      },
    });
    expect(off).toBe(true);
    power('w1', 'on');
    expect(outcome.code).toBe(5);
    expect(outcome.text).toContain('w1');
    // Ready or not: without the network's add-on it can't be, and that comes later.
    expect((await nodesOf(setting.lab, 'cp1')).map((node) => node.replace(/=.*\//, '='))).toEqual(['cp1=v1.34.4']);
    await expectWhole(await install(), 'after the power was back');
    expect(escapes()).toBe(0);
  }, 1_200_000);
});
