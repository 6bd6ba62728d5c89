import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packBare } from './support/bare-releases.ts';
import { nodesOf, prepareBare, resetBare, slowLine, writeBareSite, type BareSetting } from './support/bare.ts';
import { gatekeeperAnswers } from './support/ingress-probe.ts';
import { beginningOf, keepFigures, stepTimes } from './support/install-events.ts';
import { escapes } from './support/lab.ts';
import type { PackedRelease } from './support/releases.ts';

const FEW = ['w1'];
const MANY = ['w1', 'w2', 'w3', 'w4', 'w5', 'cp2', 'cp3', 'etcd1'];
/** All hosts of this lab share one machine: with lines of their own, of 10 MB/s, it is the lines that take the time. */
const MBIT = 80;

describe('a site of ten hosts', () => {
  let setting: BareSetting;
  let release: PackedRelease;

  beforeAll(async () => {
    setting = await prepareBare();
    release = await packBare(setting, { kubernetes: 'v1.34.4' });
  }, 300_000);

  afterAll(async () => {
    await rm(setting.folder, { recursive: true, force: true });
  });

  const install = async (name: string, workers: readonly string[]): Promise<ReadonlyMap<string, number>> => {
    const hosts = ['cp1', 'reg1', ...workers];
    const site = await writeBareSite(setting, name, { workers, direct: true });
    slowLine(MBIT, hosts);
    let isSlow = true;
    const outcome = await setting.deliver(['install', release.bundle, '--site', site, '--yes', '--json'], {
      onOutput: (text) => {
        if (!isSlow || !text.includes(beginningOf('kubernetes'))) return;
        isSlow = false;
        slowLine(0, hosts);
      },
    });
    expect(outcome.code, outcome.text).toBe(0);
    const times = stepTimes(outcome);
    await keepFigures(`${String(hosts.length)} hosts, ${String(MBIT / 8)} MB/s to each, milliseconds`, times);
    return new Map(times.map(({ step, milliseconds }) => [step, milliseconds]));
  };

  it('is prepared in the time of its slowest host, not of all of them one after the other', async () => {
    const few = await install('few', FEW);
    resetBare();
    const many = await install('many', MANY);
    const [one = 0, ten = Infinity] = [few.get('hosts'), many.get('hosts')];
    // One after the other it would be four and a half times as long: nine nodes for two. What they unpack (runtime) and start
    // (kubernetes) takes the processors of the one machine that all of them share: those times are kept, and say less.
    expect(ten / one, `${String(ten)} ms against ${String(one)} ms`).toBeLessThan(1.5);
    expect(await nodesOf(setting.lab, 'cp1')).toEqual(['cp1', ...MANY].sort().map((host) => `${host}=True/v1.34.4`));
    expect(await gatekeeperAnswers(setting.lab)).toHaveLength(2);
    expect(escapes()).toBe(0);
  }, 1_200_000);
});
