import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { digestOf } from '../../../../src/core/digest.ts';
import { Journal } from '../../../../src/flows/install/journal.ts';

const root = digestOf('a release');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'deliver-journal-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** A run of install that did this and was killed: `hosts` begins, `hosts.` is done. */
async function killedAfter(...said: readonly string[]): Promise<void> {
  const journal = new Journal(folder, 'plant-7', 'suite');
  for (const text of said) {
    const [step = '', done] = text.split(/(\.)/);
    await journal.append({ event: done === undefined ? 'step' : 'step-done', step, root, version: '1' });
  }
}
const steps = async (): Promise<readonly string[] | undefined> =>
  (await new Journal(folder, 'plant-7', 'suite').interrupted(root))?.steps;

it('names both steps that were under way, and none that had ended', async () => {
  await killedAfter('hosts', 'registry', 'hosts.', 'runtime');
  expect(await steps()).toEqual(['registry', 'runtime']);
});

it('names the last step when the run ended between two', async () => {
  await killedAfter('hosts', 'registry', 'hosts.', 'registry.');
  expect(await steps()).toEqual(['registry']);
});

it('takes nothing from a run before, which got further or was stopped elsewhere', async () => {
  await killedAfter('hosts', 'registry', 'registry.', 'push');
  await killedAfter('hosts');
  expect(await steps()).toEqual(['hosts']);
});

it('knows of no interruption of an install that was done, or of another release', async () => {
  await killedAfter('hosts');
  expect(await new Journal(folder, 'plant-7', 'suite').interrupted(digestOf('another'))).toBeUndefined();
  await new Journal(folder, 'plant-7', 'suite').append({ event: 'done', step: 'record', root, version: '1' });
  expect(await steps()).toBeUndefined();
});

it('reads what an earlier deliver wrote, and passes over a line that a crash cut', async () => {
  mkdirSync(join(folder, 'installs'));
  const line = (step: string): string =>
    JSON.stringify({ time: '2026-01-01T14:02:00Z', event: 'step', root, version: '1', step });
  appendFileSync(join(folder, 'installs', 'plant-7.suite.jsonl'), `${line('hosts')}\n${line('registry')}\n{"time":"20`);
  expect(await steps()).toEqual(['registry']);
});
