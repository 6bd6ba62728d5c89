import { copyFile, open, readFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { harborRequests, kubectl, mark, onHost } from './support/lab.ts';
import { signingKey } from './support/releases.ts';
import { prepare, type Setting } from './support/setting.ts';

describe('a bundle that is not what was signed', () => {
  let setting: Setting;

  beforeAll(async () => {
    setting = await prepare();
  }, 600_000);

  /** What an install could have changed: files on nodes, content of Harbor, objects in the cluster. */
  const siteState = async () => ({
    nodes: await Promise.all(
      ['cp1', 'w1'].map((node) => onHost(setting.lab, node, 'find /etc/containerd/certs.d -type f | sort')),
    ),
    namespaces: await kubectl(setting.lab, 'get', 'ns', '-o', 'name'),
  });

  const member = (name: RegExp): { offset: number; size: number } => {
    const listing = execFileSync('tar', ['-tvRf', setting.release.bundle], { encoding: 'utf8' }).trim().split('\n');
    const line = listing.find((candidate) => name.test(candidate)) ?? '';
    const block = Number(/^block (\d+):/.exec(line)?.[1]);
    const size = Number(/ (\d+) \d{4}-/.exec(line)?.[1]);
    return { offset: (block + 1) * 512, size };
  };

  /** The release's bundle with one bit of one byte turned. */
  const flipped = async (name: string, offset: number): Promise<string> => {
    const copy = path.join(setting.folder, `${name}.tar`);
    await copyFile(setting.release.bundle, copy);
    const file = await open(copy, 'r+');
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, offset);
    byte[0] = (byte[0] ?? 0) ^ 0x10;
    await file.write(byte, 0, 1, offset);
    await file.close();
    return copy;
  };

  const lockDigest = async (): Promise<string> => {
    const text = (await readFile(setting.release.bundle)).toString('latin1');
    return (
      /"config":\{"digest":"sha256:([0-9a-f]{64})","mediaType":"application\/vnd\.deliver\.lock/.exec(text)?.[1] ?? 'not found'
    );
  };

  const largest = (): { offset: number; size: number } => {
    const listing = execFileSync('tar', ['-tvRf', setting.release.bundle], { encoding: 'utf8' }).trim().split('\n');
    const members = listing.map((line) => ({
      offset: (Number(/^block (\d+):/.exec(line)?.[1]) + 1) * 512,
      size: Number(/ (\d+) \d{4}-/.exec(line)?.[1]),
    }));
    return members.reduce((best, next) => (next.size > best.size ? next : best), { offset: 0, size: -1 });
  };

  it.each([
    ['a flipped byte in a layer', async () => largest().offset + Math.floor(largest().size / 2)],
    ['a flipped byte in the lock', async () => member(new RegExp(await lockDigest())).offset + 40],
    [
      'a flipped byte in the signature',
      async () => {
        const at = (await readFile(setting.release.bundle)).indexOf('-----BEGIN SSH SIGNATURE-----');
        return at + 200;
      },
    ],
  ] as const)('%s is refused before anything on the site changed', async (what, offset) => {
    const bundle = await flipped(what.replaceAll(' ', '-'), await offset());
    const before = await siteState();
    const requests = mark(setting.lab);
    const outcome = await setting.deliver(['install', bundle, '--site', setting.site, '--yes']);
    expect(outcome.code).toBe(4);
    expect(outcome.words).toMatch(/E_(BUNDLE|BUNDLE_DAMAGED|SIGNATURE|DIGEST)/);
    expect(outcome.words).toContain('Nothing was changed');
    expect(await siteState()).toEqual(before);
    expect(harborRequests(setting.lab).slice(requests)).toEqual([]);
  });

  it('a bundle signed by a stranger is refused, and one that nobody signed', async () => {
    const stranger = await signingKey(path.join(setting.folder, 'stranger'));
    const site = await setting.otherSite('stranger-site', { trust: [stranger.publicKey] });
    const outcome = await setting.deliver(['install', setting.release.bundle, '--site', site, '--yes']);
    expect(outcome.code).toBe(4);
    expect(outcome.words).toContain('E_UNTRUSTED');
  });

  it('a wrong host key is refused, loudly, and a pinned right one is accepted', async () => {
    const known = await readFile(setting.lab.ssh.knownHosts, 'utf8');
    const keyOf = (host: string): string => {
      const address = setting.lab.hosts[host]?.address ?? '';
      const line =
        known.split('\n').find((entry) => entry.split(/[ ,]/).includes(address) && entry.includes('ssh-ed25519')) ?? '';
      return line.split(' ').slice(1, 3).join(' ');
    };
    const wrong = await setting.otherSite('wrong-key', { hosts: { w1: { hostKey: keyOf('cp1') } } });
    const refused = await setting.deliver(['install', setting.release.bundle, '--site', wrong, '--yes']);
    expect(refused.code).toBe(4);
    expect(refused.words).toContain('E_HOST_KEY');
    const right = await setting.otherSite('right-key', { hosts: { w1: { hostKey: keyOf('w1') } } });
    expect((await setting.deliver(['plan', setting.release.bundle, '--site', right])).code).toBe(0);
  });
});
