import { cp, mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { composeWatch, type WatchFlags } from '../../src/cli/compose-watch.ts';
import { endMoves } from '../../src/inbox/move.ts';
import { putAway } from '../../src/inbox/put-away.ts';
import { resendFlow } from '../../src/flows/resend.ts';
import type { WatchResult } from '../../src/flows/watch.ts';
import { bundleFile, MIB, run, splitBundle } from '../support/carry.ts';
import { deliver } from '../support/cli.ts';
import { folderWith } from '../support/files.ts';

interface Report {
  readonly outcome: string;
  readonly mended?: { readonly files: readonly string[]; readonly leaves: number };
  readonly error?: { readonly code: string; readonly fix: string };
  readonly notes: readonly string[];
}

let bundle: Awaited<ReturnType<typeof bundleFile>>;
/** 4 volumes of 3 MiB and 2 for parity. */
let whole: string;

beforeAll(async () => {
  bundle = await bundleFile();
  whole = await splitBundle(bundle.path);
});
afterAll(() => rm(bundle.folder, { recursive: true, force: true }));

const FLAGS: WatchFlags = {
  'allow-unsigned': true,
  threshold: 1,
  install: false,
  once: true,
  settle: '60ms',
  patience: '10m',
  poll: '20ms',
};

async function watchOnce(folder: string, flags: Partial<WatchFlags> = {}, notes: string[] = []): Promise<WatchResult> {
  return run(await composeWatch(folder, { ...FLAGS, ...flags }), notes);
}

const list = async (...path: string[]): Promise<string[]> => (await readdir(join(...path))).sort();
const report = async (...path: string[]): Promise<Report> => JSON.parse(await readFile(join(...path), 'utf8')) as Report;

/** An inbox with the carry set beside other files. */
async function inboxWithSet(set = whole): Promise<string> {
  const folder = await folderWith({ 'notes.txt': 'call me' });
  await cp(set, folder, { recursive: true });
  return folder;
}

async function damage(folder: string, volume: string, leaf: number): Promise<void> {
  const handle = await open(join(folder, `noise-1.0.tar.${volume}`), 'r+');
  await handle.write(Buffer.alloc(1000, 7), 0, 1000, leaf * MIB + 500);
  await handle.close();
}

async function expectWhole(folder: string): Promise<void> {
  const names = (await list(whole)).filter((name) => /\.[vp]\d{3}$/.test(name));
  for (const name of names)
    expect((await readFile(join(folder, name))).equals(await readFile(join(whole, name))), name).toBe(true);
}

describe('a damaged carry set', () => {
  it('is mended in its place when parity can, and the report says what was rebuilt', async () => {
    const folder = await inboxWithSet();
    await damage(folder, 'v002', 1);
    await damage(folder, 'p001', 0);
    const notes: string[] = [];
    expect(await watchOnce(folder, {}, notes)).toMatchObject({ done: 1, quarantined: 0, waiting: [] });
    expect(notes.join('\n')).toContain('2 MiB mended in 2 files');
    expect(await list(folder)).toEqual(['done', 'notes.txt', 'quarantine']);
    await expectWhole(join(folder, 'done/noise-1.0.carry'));
    const told = await report(folder, 'done/noise-1.0.carry.report.json');
    expect(told).toMatchObject({
      outcome: 'verified',
      mended: { files: ['noise-1.0.tar.v002', 'noise-1.0.tar.p001'], leaves: 2 },
    });
    expect(told.notes.some((line) => line.includes('1 MiB damaged, mendable'))).toBe(true);
  });

  it('is mended with a volume missing once nothing has come for long enough, not before', async () => {
    const folder = await inboxWithSet();
    await rm(join(folder, 'noise-1.0.tar.v003'));
    expect(await watchOnce(folder)).toMatchObject({
      done: 0,
      waiting: [expect.stringContaining('waiting for noise-1.0.tar.v003')],
    });
    expect(await watchOnce(folder, { patience: '50ms' })).toMatchObject({ done: 1, waiting: [] });
    await expectWhole(join(folder, 'done/noise-1.0.carry'));
    expect((await report(folder, 'done/noise-1.0.carry.report.json')).notes).toContain(
      'Not waited for any longer: noise-1.0.tar.v003',
    );
  });

  it('that parity cannot mend waits in the inbox for what its resend code brings, and is not read again before', async () => {
    const plain = await splitBundle(bundle.path, { parity: 0, outputFolder: join(bundle.folder, 'no-parity') });
    const folder = await inboxWithSet(plain);
    await damage(folder, 'v002', 2);
    const stop = new AbortController();
    const notes: string[] = [];
    const flow = await composeWatch(folder, { ...FLAGS, once: false });
    const watching = Promise.all(
      flow.steps.map((step) => step.run({ progress: () => undefined, note: (line) => notes.push(line) }, stop.signal)),
    );
    onTestFinished(async () => {
      stop.abort();
      await watching;
    });
    const waiting = join(folder, 'quarantine/noise-1.0.carry.waiting.json');
    await until(() => stat(waiting));
    const told = await report(waiting);
    expect(told).toMatchObject({ outcome: 'waiting', error: { code: 'E_CARRY_DAMAGED' } });
    const code = /[0-9A-Z]{4}(?:-[0-9A-Z]{1,4})+/.exec(told.error?.fix ?? '')?.[0] ?? 'none';
    await until(async () => {
      expect(notes.some((line) => line.includes(code) && line.includes('it is taken in when it has arrived'))).toBe(true);
    });
    // Another file that came changes nothing about it.
    await writeFile(join(folder, 'other.txt'), 'x');
    await sleep(300);
    expect(notes.filter((line) => line.endsWith('verifying'))).toHaveLength(1);
    await run(resendFlow({ path: bundle.path, code, outputFolder: folder, carryFolder: plain }));
    await until(() => stat(join(folder, 'done/noise-1.0.carry/noise-1.0.tar.carry.json')));
    await until(async () => {
      expect(await list(folder, 'quarantine')).toEqual(['.deliver-watch.lock']);
    });
    expect((await list(folder)).filter((name) => !name.startsWith('.'))).toEqual([
      'done',
      'notes.txt',
      'other.txt',
      'quarantine',
    ]);
  });
});

/** Tries again for a while, without a timing of its own. */
async function until(attempt: () => Promise<unknown>): Promise<void> {
  for (let turn = 0; turn < 400; turn++) {
    const failure: unknown = await attempt().then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failure === undefined) return;
    await sleep(50);
  }
  await attempt();
}

describe('two watches', () => {
  it('never act on one folder: the second is told who is at work, and takes over from one that is gone', async () => {
    const folder = await folderWith({});
    const args = ['watch', folder, '--allow-unsigned', '--settle', '50ms', '--poll', '50ms'];
    const first = deliver(args);
    onTestFinished(() => {
      first.kill('SIGKILL');
    });
    await until(() => stat(join(folder, '.deliver-watch.lock')));
    await until(async () => {
      expect(await readFile(join(folder, '.deliver-watch.lock'), 'utf8')).toContain(`${String(first.pid)} `);
    });
    const second = await deliver([...args, '--once']);
    expect(second.exitCode).toBe(3);
    expect(second.stderr.replace(/\s+/g, ' ')).toContain(`It is process ${String(first.pid)} on`);
    // Another inbox that would put its deliveries into the same place.
    const other = await folderWith({});
    const shared = await deliver(['watch', other, '--allow-unsigned', '--once', '--done', join(folder, 'done')]);
    expect(shared.exitCode).toBe(3);
    expect(await readdir(other)).not.toContain('.deliver-watch.lock');
    first.kill('SIGKILL');
    await first;
    expect(await readdir(folder)).toContain('.deliver-watch.lock');
    const third = await deliver([...args, '--once']);
    expect(third.exitCode, third.stderr).toBe(0);
    expect((await readdir(folder)).sort()).toEqual(['done', 'quarantine']);
  });
});

const elsewhere = await otherFileSystem();

describe.skipIf(elsewhere === undefined)(
  `another file system${elsewhere === undefined ? ' (skipped: no tmpfs at /dev/shm)' : ''}`,
  () => {
    const place = async (): Promise<string> => {
      const folder = await mkdtemp(join(elsewhere ?? '', 'deliver-inbox-'));
      onTestFinished(() => rm(folder, { recursive: true, force: true }));
      return folder;
    };

    it('takes bundles, sets and folders of sets', async () => {
      const [folder, done] = [await inboxWithSet(), await place()];
      await cp(bundle.path, join(folder, 'suite.tar'));
      await cp(whole, join(folder, 'usb'), { recursive: true });
      expect(await watchOnce(folder, { done })).toMatchObject({ done: 3, waiting: [] });
      expect((await list(done)).filter((name) => !name.endsWith('.report.json'))).toEqual([
        'noise-1.0.carry',
        'suite.tar',
        'usb',
      ]);
      expect((await readFile(join(done, 'suite.tar'))).equals(bundle.bytes)).toBe(true);
      await expectWhole(join(done, 'noise-1.0.carry'));
      await expectWhole(join(done, 'usb'));
      expect(await list(folder)).toEqual(['notes.txt', 'quarantine']);
    });

    it('holds a bundle once, however a kill left it: the copy and not yet the original, or half a copy', async () => {
      const [folder, done] = [await folderWith({}), await place()];
      const [from, to] = [join(folder, 'suite.tar'), join(done, 'suite.tar')];
      const marker = async (path: string): Promise<void> => {
        const { ino, size, mtimeMs } = await stat(path);
        await writeFile(`${to}.arriving`, JSON.stringify({ path, inode: String(ino), size, mtimeMs }));
      };
      await cp(bundle.path, from);
      await marker(from);
      await cp(bundle.path, `${to}.part`);
      expect(await endMoves(done)).toEqual([]);
      expect(await watchOnce(folder, { done })).toMatchObject({ done: 1 });
      expect(await list(done)).toEqual(['suite.tar', 'suite.tar.report.json']);
      await cp(bundle.path, from);
      await marker(from);
      expect(await watchOnce(folder, { done })).toMatchObject({ done: 0, waiting: [] });
      expect(await list(done)).toEqual(['suite.tar', 'suite.tar.report.json']);
      expect(await list(folder)).toEqual(['quarantine']);
      // Something else came under the name of the original since: it is a delivery of its own.
      await cp(bundle.path, from);
      await marker(from);
      await rm(from);
      await mkdir(join(folder, 'sub'));
      await cp(bundle.path, join(folder, 'sub/new'));
      await putAway({ stem: 'suite', ending: '.tar', paths: [join(folder, 'sub/new')], together: false }, folder, () => ({}));
      expect(await watchOnce(folder, { done })).toMatchObject({ done: 1 });
      expect((await list(done)).filter((name) => name.endsWith('.tar'))).toEqual(['suite-2.tar', 'suite.tar']);
    });
  },
);

/** A folder of another file system than the temporary one. */
async function otherFileSystem(): Promise<string | undefined> {
  const [here, there] = await Promise.all([stat(tmpdir()), stat('/dev/shm').catch(() => undefined)]);
  return there === undefined || there.dev === here.dev ? undefined : '/dev/shm';
}
