import { once as onceEvent } from 'node:events';
import { appendFile, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { composeWatch } from '../../src/cli/compose-watch.ts';
import { composeVerify } from '../../src/cli/compose-bundle.ts';
import { DeliverError } from '../../src/core/errors.ts';
import { SILENT } from '../../src/core/report.ts';
import type { InstallResult } from '../../src/flows/plan/types.ts';
import { putAway } from '../../src/inbox/put-away.ts';
import { repairFlow } from '../../src/flows/repair.ts';
import { watchFlow, type WatchResult } from '../../src/flows/watch.ts';
import { noisyRelease, smallRelease } from '../support/bundles.ts';
import { bundleFile as newBundle, run, splitBundle } from '../support/carry.ts';
import { deliver } from '../support/cli.ts';
import { folderWith } from '../support/files.ts';
import { signedBundle, testKey } from '../support/signed-bundle.ts';

const KEY = testKey('release@corp');
const GOOD = signedBundle(smallRelease(), [KEY]).bytes;

interface Report {
  readonly outcome: string;
  readonly delivery?: { readonly version: string };
  readonly error?: { readonly code: string };
  readonly notes: readonly string[];
}

async function inbox(files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<string> {
  const folder = await folderWith({ 'key.pub': KEY.line });
  await mkdir(join(folder, 'in'));
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, 'in', name), bytes);
  return join(folder, 'in');
}

/** Runs `deliver watch --once` in this process. */
async function once(
  folder: string,
  more: { readonly settle?: string; readonly patience?: string; readonly unsigned?: boolean } = {},
  notes: string[] = [],
): Promise<WatchResult> {
  const unsigned = more.unsigned === true;
  const flow = await composeWatch(folder, {
    ...(unsigned ? {} : { trust: [join(folder, '../key.pub')] }),
    'allow-unsigned': unsigned,
    threshold: 1,
    install: false,
    once: true,
    settle: more.settle ?? '60ms',
    poll: '20ms',
    patience: more.patience ?? '10m',
  });
  return run(flow, notes);
}

async function report(folder: string, name: string): Promise<Report> {
  return JSON.parse(await readFile(join(folder, `${name}.report.json`), 'utf8')) as Report;
}

/** Goes away with the test. */
async function bundleFile(): Promise<{ readonly path: string }> {
  const { folder, path } = await newBundle();
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return { path };
}

const list = async (...path: string[]): Promise<string[]> => (await readdir(join(...path))).sort();

it('moves what is whole to done, what is not to quarantine, and leaves what is foreign or unfinished', async () => {
  const stranger = signedBundle(smallRelease(), [testKey('stranger')]).bytes;
  const folder = await inbox({
    'good.tar': GOOD,
    'short.tar': GOOD.subarray(0, GOOD.length - 3000),
    'stranger.tar': stranger,
    'nonsense.tar': 'not a tar',
    'empty.tar': '',
    'half.tar.part': GOOD,
    '.hidden.tar': GOOD,
    'notes.txt': 'call me',
  });
  expect(await once(folder)).toMatchObject({ done: 1, quarantined: 4, waiting: [] });
  expect(await list(folder)).toEqual(['.hidden.tar', 'done', 'half.tar.part', 'notes.txt', 'quarantine']);
  expect(await list(folder, 'done')).toEqual(['good.tar', 'good.tar.report.json']);
  expect(await readFile(join(folder, 'done/good.tar'))).toEqual(GOOD);
  expect(await report(join(folder, 'done'), 'good.tar')).toMatchObject({ outcome: 'verified', delivery: { version: '3.6.2' } });
  const codes = await Promise.all(
    ['short', 'stranger', 'nonsense', 'empty'].map(
      async (name) => (await report(join(folder, 'quarantine'), `${name}.tar`)).error?.code,
    ),
  );
  expect(codes).toEqual(['E_BUNDLE_DAMAGED', 'E_UNTRUSTED', 'E_BUNDLE', 'E_BUNDLE']);
});

it('waits for a slow writer, and takes the file only when it is whole', async () => {
  const folder = await inbox({ 'slow.tar': '' });
  const path = join(folder, 'slow.tar');
  const watching = once(folder, { settle: '1500ms' });
  const piece = Math.ceil(GOOD.length / 8);
  for (let at = 0; at < GOOD.length; at += piece) {
    await appendFile(path, GOOD.subarray(at, at + piece));
    await sleep(100);
  }
  expect(await watching).toMatchObject({ done: 1, quarantined: 0 });
  expect(await readFile(join(folder, 'done/slow.tar'))).toEqual(GOOD);
});

it('waits for one that writes at once at full length and fills it later', async () => {
  const folder = await inbox({ 'sparse.tar': Buffer.alloc(GOOD.length) });
  const watching = once(folder, { settle: '1500ms' });
  const handle = await open(join(folder, 'sparse.tar'), 'r+');
  for (let at = 0; at < GOOD.length; at += 4096) {
    await handle.write(GOOD.subarray(at, at + 4096), 0, Math.min(4096, GOOD.length - at), at);
    if (at % 16384 === 0) await sleep(50);
  }
  await handle.close();
  expect(await watching).toMatchObject({ done: 1, quarantined: 0 });
});

it('never overwrites what is in done: the second of a name gets a number', async () => {
  const folder = await inbox({ 'suite.tar': GOOD });
  await once(folder);
  await writeFile(join(folder, 'suite.tar'), GOOD);
  await once(folder);
  expect(await list(folder, 'done')).toEqual(['suite-2.tar', 'suite-2.tar.report.json', 'suite.tar', 'suite.tar.report.json']);
});

it('waits for every volume of a carry set, tells which are missing, then moves them together', async () => {
  const { path } = await bundleFile();
  const set = await splitBundle(path);
  const folder = await inbox({ 'good.tar': GOOD });
  const names = await list(set);
  const late = names.find((name) => name.endsWith('.v002')) ?? '';
  for (const name of names) if (name !== late) await writeFile(join(folder, name), await readFile(join(set, name)));
  await writeFile(join(folder, late), (await readFile(join(set, late))).subarray(0, 1000));
  const early = await once(folder, { unsigned: true });
  expect(early).toMatchObject({ done: 1, quarantined: 0, waiting: [expect.stringContaining(`waiting for ${late}`)] });
  await writeFile(join(folder, late), await readFile(join(set, late)));
  expect(await once(folder, { unsigned: true })).toMatchObject({ done: 1, waiting: [] });
  expect(await list(folder)).toEqual(['done', 'quarantine']);
  expect(await list(folder, 'done/noise-1.0.carry')).toEqual(names);
});

it('takes a half moved carry set back at its next start', async () => {
  const { path } = await bundleFile();
  const set = await splitBundle(path);
  const folder = await inbox();
  const names = await list(set);
  for (const name of names) await writeFile(join(folder, name), await readFile(join(set, name)));
  const half = join(folder, 'done/noise-1.0.carry.moving');
  await mkdir(half, { recursive: true });
  for (const name of names.slice(0, 3)) await rename(join(folder, name), join(half, name));
  const notes: string[] = [];
  expect(await once(folder, { unsigned: true }, notes)).toMatchObject({ done: 1, waiting: [] });
  expect(notes.join('\n')).toContain('Taken back');
  expect(await list(folder, 'done/noise-1.0.carry')).toEqual(names);
});

it('writes a report anew that a kill left without its bundle', async () => {
  const folder = await inbox({ 'suite.tar': GOOD });
  await mkdir(join(folder, 'done'));
  await writeFile(join(folder, 'done/suite.tar.report.json'), 'old');
  const parcel = { stem: 'suite', ending: '.tar', paths: [join(folder, 'suite.tar')], together: false };
  expect(await putAway(parcel, join(folder, 'done'), () => ({ outcome: 'verified' }))).toBe(join(folder, 'done/suite.tar'));
  expect((await report(join(folder, 'done'), 'suite.tar')).outcome).toBe('verified');
});

it('goes on after kill -9 at any moment, and ends well when it is stopped', { timeout: 90_000 }, async () => {
  const bytes = signedBundle(noisyRelease(4_000_000, 5), [KEY]).bytes;
  const folder = await inbox({ 'a.tar': bytes, 'b.tar': bytes, 'c.tar': bytes.subarray(0, 9_000_000) });
  const args = ['watch', folder, '--trust', join(folder, '../key.pub'), '--settle', '20ms', '--poll', '10ms', '--json'];
  const start = () => {
    const child = deliver(args);
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    return child;
  };
  for (const delay of [350, 450, 550, 650]) {
    const child = start();
    await sleep(delay);
    child.kill('SIGKILL');
    await child;
    const all = [
      ...(await list(folder)),
      ...(await list(folder, 'done').catch(() => [])),
      ...(await list(folder, 'quarantine').catch(() => [])),
    ];
    expect(all.filter((name) => name.endsWith('.tar')).sort()).toEqual(['a.tar', 'b.tar', 'c.tar']);
  }
  const child = start();
  const begun = onceEvent(child.stdout, 'data');
  for (let turn = 0; turn < 300 && (await list(folder)).some((name) => name.endsWith('.tar')); turn++) await sleep(100);
  // All may have been moved before; a signal before it has begun would just end it.
  await begun;
  child.kill('SIGTERM');
  expect((await child).exitCode).toBe(0);
  expect(await list(folder, 'done')).toEqual(['a.tar', 'a.tar.report.json', 'b.tar', 'b.tar.report.json']);
  expect(await list(folder, 'quarantine')).toEqual(['c.tar', 'c.tar.report.json']);
  expect((await stat(join(folder, 'done/a.tar'))).size).toBe(bytes.length);
});

it('leaves what could not be installed, and takes it in when it can be', async () => {
  const folder = await inbox({ 'suite.tar': GOOD });
  const installed: InstallResult = {
    release: 'gatekeeper-suite',
    version: '3.6.2',
    site: 'plant-7',
    changed: 3,
    urls: [],
    hostsFile: [],
  };
  const watchWith = (install: (signal: AbortSignal) => Promise<void>) =>
    watchFlow(
      {
        folder,
        done: join(folder, 'done'),
        quarantine: join(folder, 'quarantine'),
        once: true,
        settle: 50,
        poll: 20,
        patience: 1000,
      },
      {
        verify: (bundle) => composeVerify({ bundle, trust: [KEY.line], threshold: 1, allowUnsigned: false }),
        repair: (path) => repairFlow({ folder: path }),
        install: async () => ({
          steps: [{ id: 'apps', title: 'Apps', run: async (_report, signal) => (await install(signal), { summary: 'three' }) }],
          result: () => installed,
        }),
      },
    );
  // A changed host key is the site's trouble, not the bundle's.
  for (const code of ['E_CLUSTER', 'E_BASE_MISSING', 'E_HOST_KEY'] as const) {
    const failing = watchWith(async () => {
      throw new DeliverError(code, { what: 'The site is down.' });
    });
    expect(await run(failing)).toMatchObject({ done: 0, quarantined: 0, waiting: [`suite.tar: ${code} The site is down.`] });
    expect(await list(folder)).toEqual(['done', 'quarantine', 'suite.tar']);
  }
  const stop = new AbortController();
  const interrupted = watchWith(async (signal) => {
    stop.abort(new DeliverError('E_INTERRUPTED', { what: 'Stopped.' }));
    signal.throwIfAborted();
  });
  for (const step of interrupted.steps) await step.run(SILENT, stop.signal);
  expect(interrupted.result()).toMatchObject({ done: 0, quarantined: 0 });
  expect(await run(watchWith(async () => undefined))).toMatchObject({ done: 1 });
  expect(await report(join(folder, 'done'), 'suite.tar')).toMatchObject({ outcome: 'installed', install: { changed: 3 } });
});

it('refuses a time or a folder that is none, before it begins', async () => {
  const folder = await inbox();
  await expect(once(folder, { settle: 'soon' })).rejects.toThrowWithCode('E_USAGE');
  await expect(once(join(folder, 'none'), { unsigned: true })).rejects.toThrowWithCode('E_FILE_NOT_FOUND');
});

it('ends when its inbox goes away while it was to look once', async () => {
  const folder = await inbox({ 'suite.tar': GOOD });
  const notes: string[] = [];
  const ended = expect(once(folder, { settle: '10m', unsigned: true }, notes)).rejects.toMatchObject({ code: 'ENOENT' });
  for (let tries = 0; tries < 500 && notes.length === 0; tries++) await sleep(20);
  await rm(folder, { recursive: true });
  await ended;
});
