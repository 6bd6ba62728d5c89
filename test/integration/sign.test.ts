import { execFileSync, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, copyFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { makeSigningKey } from '../../src/bundle/signature/make-key.ts';
import { loadTrustPolicy } from '../../src/bundle/signature/load-trusted-keys.ts';
import { openBundle } from '../../src/bundle/open-bundle.ts';
import { planBundle } from '../../src/bundle/plan.ts';
import { readJournal, writeJournal } from '../../src/bundle/signature/sign-journal.ts';
import { mendSigning, signInPlace } from '../../src/bundle/signature/sign-in-place.ts';
import { judgeTrust } from '../../src/bundle/signature/trust.ts';
import { Secret } from '../../src/core/secret.ts';
import { SILENT } from '../../src/core/report.ts';
import { keygen } from '../../src/flows/keygen.ts';
import { inspectBundle } from '../../src/flows/inspect.ts';
import { signFlow, type SignInput, type SignResult } from '../../src/flows/sign.ts';
import { verifyFlow } from '../../src/flows/verify.ts';
import { smallRelease } from '../support/bundles.ts';
import { deliver } from '../support/cli.ts';
import { folderWith } from '../support/files.ts';
import { hasCommand } from '../support/has-command.ts';
import { cosignBundle, signedBundle, signedBy, testKey } from '../support/signed-bundle.ts';

const release = smallRelease();
const packer = testKey('packer');
const gateway = testKey('gateway');
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const { rootBytes } = planBundle(release.lock, []);

const noPassphrase = (): Promise<Secret> => Promise.reject(new Error('nobody should be asked'));

async function sign(bundlePath: string, more: Partial<SignInput>): Promise<SignResult> {
  const flow = signFlow({ bundlePath, keyPaths: [], attach: [], ...more }, { askPassphrase: noPassphrase });
  for (const step of flow.steps) await step.run(SILENT, new AbortController().signal);
  return flow.result();
}

async function scene(): Promise<{ folder: string; path: string; key: string }> {
  const folder = await folderWith({ 'suite.tar': signedBundle(release, [packer]).bytes, 'packer.pub': packer.line });
  const key = join(folder, 'gateway');
  await keygen({ path: key, comment: 'gateway@border' });
  return { folder, path: join(folder, 'suite.tar'), key };
}

describe('signing in place', () => {
  it('gives the very bytes that packing with both signatures gives', async () => {
    const { path } = await scene();
    const bundle = await openBundle(path);
    await bundle.close();
    expect(await signInPlace(bundle, [{ armored: signedBy(gateway, rootBytes) }])).toBe(true);
    expect((await readFile(path)).equals(signedBundle(release, [packer, gateway]).bytes)).toBe(true);
    expect(await readJournal(path)).toBeUndefined();
  });

  it('adds a signature that counts for n-of-m, and adds it only once', async () => {
    const { folder, path, key } = await scene();
    expect(await sign(path, { keyPaths: [key] })).toMatchObject({ outcome: 'signed', signatures: 2 });
    const signed = await readFile(path);
    const before = await stat(path);
    expect(await sign(path, { keyPaths: [key, key] })).toMatchObject({ outcome: 'unchanged', signatures: 2 });
    expect((await readFile(path)).equals(signed)).toBe(true);
    expect((await stat(path)).mtimeMs).toBe(before.mtimeMs);
    const bundle = await openBundle(path);
    await bundle.close();
    const both = await loadTrustPolicy([`${key}.pub`, join(folder, 'packer.pub')], 2);
    expect(judgeTrust(bundle, both).signers.map(({ name }) => name)).toEqual(['packer', 'gateway@border']);
    const one = await loadTrustPolicy([join(folder, 'packer.pub'), testKey('third').line], 2);
    expect(() => judgeTrust(bundle, one)).toThrowWithCode('E_UNTRUSTED', 'not by 2 keys');
    expect(judgeTrust(bundle, one, { allowUnsigned: true }).accepted).toMatch(/^signed by packer .*; 2 trusted keys are needed$/);
  });

  it('says so when the room is full, and changes nothing', async () => {
    const { path, key } = await scene();
    const many = Array.from({ length: 30 }, (_, at) => testKey(`signer ${String(at)}`));
    const full = many
      .map((_, at) => many.slice(0, at + 1))
      .findLast((keys) => {
        try {
          return signedBundle(release, keys).bytes.length > 0;
        } catch {
          return false;
        }
      });
    const { bytes } = signedBundle(release, full ?? []);
    await writeFile(path, bytes);
    await expect(sign(path, { keyPaths: [key] })).rejects.toThrowWithCode('E_BUNDLE', 'no room for another signature');
    expect((await readFile(path)).equals(bytes)).toBe(true);
    expect(full?.length).toBeGreaterThanOrEqual(10);
  });

  it.skipIf(process.getuid?.() === 0)('says so on a medium that can only be read', async () => {
    const { path, key } = await scene();
    await chmod(path, 0o444);
    await expect(sign(path, { keyPaths: [key] })).rejects.toThrowWithCode('E_OUTPUT', "can't be written");
  });

  it('takes back a signing that was killed at any byte, and says what is wrong until then', async () => {
    const { folder, path, key } = await scene();
    const before = await readFile(path);
    await sign(path, { keyPaths: [key] });
    const after = await readFile(path);
    const changed = [...before.keys()].filter((at) => before[at] !== after[at]);
    for (let step = 1; step < 8; step++) {
      const torn = join(folder, `torn-${String(step)}.tar`);
      const cut = changed[Math.floor((changed.length * step) / 8)] ?? 0;
      // The room is written first, then index.json, which lies before it.
      await writeFile(torn, Buffer.concat([before.subarray(0, cut), after.subarray(cut)]));
      await writeJournal(torn, before.length, [{ offset: 0, bytes: before.subarray(0, 64 * 1024) }]);
      await expect(openBundle(torn)).rejects.toThrowWithCode('E_BUNDLE', 'deliver sign command again');
      expect(await mendSigning(torn)).toBe(true);
      expect((await readFile(torn)).equals(before)).toBe(true);
      expect(await mendSigning(torn)).toBe(false);
    }
  });

  it('is told by every verb that reads, with the command that ends it, while it is half done', { timeout: 120_000 }, async () => {
    const { folder, path, key } = await scene();
    const before = await readFile(path);
    await sign(path, { keyPaths: [key] });
    const after = await readFile(path);
    const at = [...before.keys()].find((byte) => before[byte] !== after[byte]) ?? 0;
    const torn = join(folder, 'torn.tar');
    // The room is new, index.json is old.
    await writeFile(torn, Buffer.concat([before.subarray(0, at + 1), after.subarray(at + 1)]));
    await writeJournal(torn, before.length, [{ offset: 0, bytes: before.subarray(0, 64 * 1024) }]);
    for (const verb of [
      ['verify', torn, '--trust', 'packer.pub'],
      ['verify', torn, '--allow-unsigned'],
      ['inspect', torn],
      ['split', torn, '--volume-size', '1M'],
      ['diff', torn, path],
      ['serve', torn, '--allow-unsigned'],
      ['push', torn, '--to', '127.0.0.1:9/x', '--allow-unsigned'],
      ['publish', torn, 's3://bucket/x'],
    ]) {
      const { exitCode, stderr } = await deliver(verb, folder);
      const said = stderr.replace(/\s+/g, ' ');
      expect(exitCode, verb.join(' ')).toBe(4);
      expect(said, verb.join(' ')).toContain('is half signed');
      expect(said, verb.join(' ')).toContain(`deliver sign ${torn}`);
    }
    expect(await deliver(['sign', torn], folder)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('as it was before the signing that was interrupted') as string,
    });
    expect((await readFile(torn)).equals(before)).toBe(true);
    expect(await deliver(['sign', torn], folder)).toMatchObject({ exitCode: 2 });
  });

  it('leaves a bundle that the next run signs, whenever it is killed', { timeout: 60_000 }, async () => {
    const { folder, path, key } = await scene();
    const cli = new URL('../../bin/dev.js', import.meta.url).pathname;
    for (let delay = 0; delay < 12; delay++) {
      const copy = join(folder, `killed-${String(delay)}.tar`);
      await copyFile(path, copy);
      const child = fork(cli, ['sign', copy, '--key', key], { silent: true });
      const gone = once(child, 'exit');
      await sleep(150 + delay * 40);
      child.kill('SIGKILL');
      await gone;
      expect((await sign(copy, { keyPaths: [key] })).signatures).toBe(2);
      const bundle = await openBundle(copy);
      await bundle.close();
      expect(bundle.signatures).toHaveLength(2);
    }
  });
});

describe('cosign', () => {
  it('takes a sigstore bundle into the room, and counts it for its key', async () => {
    const { folder, path } = await scene();
    const { text, pem } = cosignBundle(rootBytes, sha256);
    await writeFile(join(folder, 'release.sigstore.json'), text);
    await writeFile(join(folder, 'cosign.pub'), pem);
    await writeFile(join(folder, 'other.pub'), cosignBundle(rootBytes, sha256).pem);
    expect(await sign(path, { attach: [join(folder, 'release.sigstore.json')] })).toMatchObject({ signatures: 2 });
    expect((await inspectBundle(path)).signatures).toHaveLength(2);
    const bundle = await openBundle(path);
    await bundle.close();
    const policy = async (...files: string[]) =>
      loadTrustPolicy(
        files.map((file) => join(folder, file)),
        files.length,
      );
    expect(judgeTrust(bundle, await policy('cosign.pub')).signers).toMatchObject([{ name: 'cosign.pub' }]);
    expect(judgeTrust(bundle, await policy('cosign.pub', 'packer.pub')).signers).toHaveLength(2);
    expect(() => judgeTrust(bundle, { keys: [], threshold: 1 })).toThrowWithCode('E_UNTRUSTED', 'cosign key');
    await expect(policy('other.pub').then((given) => judgeTrust(bundle, given))).rejects.toThrowWithCode('E_UNTRUSTED');
    expect(await verified(path, join(folder, 'cosign.pub'))).toBe('cosign.pub');
  });

  it('refuses what is over other bytes, keyless, or no sigstore bundle, and leaves the bundle as it is', async () => {
    const { folder, path } = await scene();
    const before = await readFile(path);
    const attach = async (text: string): Promise<SignResult> => {
      await writeFile(join(folder, 'attached'), text);
      return sign(path, { attach: [join(folder, 'attached')] });
    };
    const { text } = cosignBundle(rootBytes, sha256);
    await expect(attach(cosignBundle(Buffer.from('else'), sha256).text)).rejects.toThrowWithCode('E_SIGNATURE', 'other bytes');
    await expect(attach('nonsense')).rejects.toThrowWithCode('E_SIGNATURE', 'not JSON');
    await expect(attach(text.replace('publicKey', 'certificate'))).rejects.toThrowWithCode('E_NOT_YET', 'keyless');
    await expect(attach(text.replace('messageSignature', 'dsseEnvelope'))).rejects.toThrowWithCode('E_NOT_YET', 'DSSE');
    await expect(attach(text.replace('v0.3', 'v0.1'))).rejects.toThrowWithCode('E_SIGNATURE', 'no sigstore bundle v0.3');
    expect((await readFile(path)).equals(before)).toBe(true);
  });

  async function verified(path: string, key: string): Promise<string | undefined> {
    const flow = verifyFlow({ bundlePath: path, trust: [key] });
    for (const step of flow.steps) await step.run(SILENT, new AbortController().signal);
    return flow.result().signers[0]?.name;
  }
});

describe('key periods and rotation', () => {
  const bundle = { path: 'b.tar', rootBytes, signatures: [{ armored: signedBy(packer, rootBytes) }] };
  const now = new Date('2026-06-01T00:00:00Z');
  const judge = async (line: string, allowUnsigned = false) =>
    judgeTrust(bundle, await loadTrustPolicy([line]), { now, allowUnsigned });

  it('says that a key is expired by the clock of this machine, apart from a bad signature', async () => {
    await expect(judge(`p valid-before="20260101Z" ${packer.line}`)).rejects.toThrowWithCode(
      'E_EXPIRED',
      /expired at 2026-01-01.*clock of this machine/s,
    );
    await expect(judge(`p valid-after="20270101Z" ${packer.line}`)).rejects.toThrowWithCode(
      'E_EXPIRED',
      'not valid before 2027-01-01',
    );
    expect((await judge(`p valid-before="20260101Z" ${packer.line}`, true)).accepted).toContain('outside its time limits');
    expect((await judge(`p valid-after="20260101Z",valid-before="20270101Z" ${packer.line}`)).signers).toHaveLength(1);
  });

  it('takes the old and the new key while both are listed', async () => {
    const both = await loadTrustPolicy([packer.line, testKey('next year').line]);
    expect(judgeTrust(bundle, both).signers).toHaveLength(1);
    await expect(loadTrustPolicy([packer.line, packer.line], 2)).rejects.toThrowWithCode('E_SCHEMA', '1 are trusted');
  });
});

describe.skipIf(!hasCommand('ssh-keygen'))('keygen, with the real ssh-keygen', () => {
  it.each([
    ['without a passphrase', '', 20],
    ['with one', 'correct horse', 3],
  ])('makes keys that ssh-keygen reads, %s', async (_what, phrase, count) => {
    const folder = await folderWith();
    for (let at = 0; at < count; at++) {
      const path = join(folder, `key-${String(at)}`);
      const made = await keygen({ path, comment: 'release@corp', ...(phrase === '' ? {} : { passphrase: new Secret(phrase) }) });
      expect(execFileSync('ssh-keygen', ['-y', '-P', phrase, '-f', path], { encoding: 'utf8' }).trim()).toBe(made.line);
      expect(execFileSync('ssh-keygen', ['-l', '-f', made.publicKey], { encoding: 'utf8' })).toContain(
        `${made.fingerprint} release@corp`,
      );
      expect((await stat(path)).mode & 0o777).toBe(0o600);
    }
  });
});

it('makes whole keys only: one in 256 would begin with a zero that its library drops', async () => {
  for (let at = 0; at < 1500; at++) {
    const { publicLine } = await makeSigningKey('release@corp', undefined);
    expect(Buffer.from(publicLine.split(' ')[1] ?? '', 'base64')).toHaveLength(51);
  }
});

it('never overwrites a key, also not the public half', async () => {
  const folder = await folderWith({ a: 'mine', 'b.pub': 'mine too' });
  await expect(keygen({ path: join(folder, 'a'), comment: '' })).rejects.toThrowWithCode('E_OUTPUT', 'never overwritten');
  await expect(keygen({ path: join(folder, 'b'), comment: '' })).rejects.toThrowWithCode('E_OUTPUT', 'never overwritten');
  expect(await readFile(join(folder, 'a'), 'utf8')).toBe('mine');
  await expect(stat(join(folder, 'b'))).rejects.toThrow();
});

it('makes, signs and verifies on the command line', { timeout: 60_000 }, async () => {
  const { folder, path } = await scene();
  expect(await deliver(['keygen', 'mine', '--comment', 'me@here'], folder)).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('trust: [ "ssh-ed25519') as string,
  });
  expect(await deliver(['sign', path], folder)).toMatchObject({ exitCode: 2 });
  expect(await deliver(['sign', path, '--key', 'mine'], folder)).toMatchObject({ exitCode: 0 });
  const verify = ['verify', path, '--trust', 'mine.pub', '--trust', 'packer.pub', '--threshold'];
  expect(await deliver([...verify, '2'], folder)).toMatchObject({ exitCode: 0 });
  expect(await deliver([...verify, '3'], folder)).toMatchObject({ exitCode: 3 });
});
