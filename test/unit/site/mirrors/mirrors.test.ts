import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SILENT } from '../../../../src/core/report.ts';
import { mirrorFiles, type MirrorFile } from '../../../../src/site/mirrors/files.ts';
import { mirrorChanges, mirrorSummary, planMirrors, writeMirrors } from '../../../../src/site/mirrors/mirrors.ts';
import { localHosts } from '../../../support/local-host.ts';

let root: string;
let files: MirrorFile[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'deliver-mirrors-'));
  files = mirrorFiles({
    sourceHosts: ['docker.io', 'quay.io'],
    registryHost: 'harbor.site',
    caPem: 'PEM',
    naming: (host) => host,
  }).map((file) => ({ ...file, path: `${root}${file.path}` }));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

describe('mirrors of a node', () => {
  it('are written once: the second run changes nothing', async () => {
    const hosts = localHosts();
    const plan = await planMirrors(hosts, ['w1'], files);
    expect(plan[0]?.files.map(({ state }) => state)).toEqual(['missing', 'missing', 'missing', 'missing']);
    const written = await writeMirrors(hosts, plan);
    expect(mirrorSummary(written)).toBe('w1: 4 files written');
    for (const file of files) expect(readFileSync(file.path, 'utf8')).toBe(file.content);

    const again = await planMirrors(hosts, ['w1'], files);
    expect(mirrorChanges(again)).toBe(0);
    expect(mirrorSummary(await writeMirrors(hosts, again))).toBe('no change');
  });

  it('are compared in one round trip', async () => {
    const hosts = localHosts();
    await planMirrors(hosts, ['w1'], files);
    expect(hosts.commands).toHaveLength(1);
  });

  it('are only written where they differ in content or mode', async () => {
    const hosts = localHosts();
    await writeMirrors(hosts, await planMirrors(hosts, ['w1'], files));
    const [ca, docker, own] = files;
    if (ca === undefined || docker === undefined || own === undefined) throw new Error('too few files');
    writeFileSync(docker.path, docker.content.replace('push', 'pull'));
    chmodSync(own.path, 0o600);
    const plan = await planMirrors(hosts, ['w1'], files);
    expect(plan[0]?.files.map(({ state }) => state)).toEqual(['same', 'different', 'different', 'same']);
    hosts.commands.length = 0;
    expect(await writeMirrors(hosts, plan)).toEqual([{ node: 'w1', written: 2, kept: [] }]);
    expect(hosts.commands).toEqual([`write ${docker.path}`, `write ${own.path}`]);
  });

  it('keep a copy, once, of a file that somebody else wrote', async () => {
    const hosts = localHosts();
    const path = files[1]?.path ?? '';
    await mkdir(dirname(path), { recursive: true });
    writeFileSync(path, 'server = "https://docker.io"\n');
    const notes: string[] = [];
    const report = { ...SILENT, note: (line: string) => notes.push(line) };
    const [written] = await writeMirrors(hosts, await planMirrors(hosts, ['w1'], files), report);
    expect(written?.kept).toEqual([`${path}.before-deliver`]);
    expect(readFileSync(`${path}.before-deliver`, 'utf8')).toBe('server = "https://docker.io"\n');
    expect(notes).toHaveLength(1);

    writeFileSync(path, 'server = "again"\n');
    await writeMirrors(hosts, await planMirrors(hosts, ['w1'], files), report);
    expect(readFileSync(`${path}.before-deliver`, 'utf8')).toBe('server = "https://docker.io"\n');
  });

  it('are written nowhere any more once one node failed and the error is told', async () => {
    const hosts = localHosts();
    const plan = await planMirrors(hosts, ['w1', 'w2'], files);
    const w2: string[] = [];
    const connector = {
      ...hosts,
      connect: async (name: string) => {
        const connection = await hosts.connect(name);
        const writeFile = async (path: string): Promise<void> => {
          if (name === 'w1') throw new Error('disk full');
          await sleep(20);
          w2.push(path);
        };
        return { ...connection, writeFile };
      },
    };
    await expect(writeMirrors(connector, plan)).rejects.toThrow('disk full');
    const then = w2.length;
    await sleep(60);
    expect([then, w2.length]).toEqual([1, 1]);
  });
});
