import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openBundle } from '../../src/bundle/open-bundle.ts';
import { planBundle } from '../../src/bundle/plan.ts';
import { parseSigningKey, signRoot } from '../../src/bundle/signature/sign.ts';
import { checkSignature } from '../../src/bundle/signature/check-signature.ts';
import { judgeTrust } from '../../src/bundle/signature/trust.ts';
import { parseTrustedKeys } from '../../src/bundle/signature/trusted-keys.ts';
import { loadTrustPolicy, type TrustPolicy } from '../../src/bundle/signature/load-trusted-keys.ts';
import type { PublicKey } from '../../src/bundle/signature/public-key.ts';
import { Secret } from '../../src/core/secret.ts';
import { inspectBundle } from '../../src/flows/inspect.ts';
import { bundleBytes, smallRelease } from '../support/bundles.ts';
import { hasCommand } from '../support/has-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'deliver-sign-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const root = Buffer.from('{"the":"release manifest"}');
const file = (name: string): string => join(folder, name);
const noPassphrase = (): Promise<Secret> => Promise.reject(new Error('nobody should be asked'));

/** A key pair by ssh-keygen; the path of the private key. */
function makeKey(name: string, ...options: string[]): string {
  execFileSync('ssh-keygen', [
    '-q',
    '-C',
    `${name}@corp`,
    '-f',
    file(name),
    ...(options.includes('-N') ? [] : ['-N', '']),
    ...options,
  ]);
  return file(name);
}

function trusted(...names: string[]): readonly PublicKey[] {
  return names.flatMap((name) => parseTrustedKeys(readFileSync(`${file(name)}.pub`, 'utf8'), name));
}

function policy(...names: string[]): TrustPolicy {
  return { keys: trusted(...names), threshold: 1 };
}

async function signed(name: string, bytes: Uint8Array = root): Promise<string> {
  return signRoot(bytes, await parseSigningKey(readFileSync(file(name), 'utf8'), file(name), noPassphrase));
}

function signedByTool(name: string, namespace = 'deliver'): string {
  writeFileSync(file('message'), root);
  rmSync(file('message.sig'), { force: true });
  execFileSync('ssh-keygen', ['-q', '-Y', 'sign', '-f', file(name), '-n', namespace, file('message')], { stdio: 'pipe' });
  return readFileSync(file('message.sig'), 'utf8');
}

// `skipIf` shows the tests as skipped on a machine without OpenSSH's tools.
describe.skipIf(!hasCommand('ssh-keygen'))('signatures, with the real ssh-keygen', () => {
  it('signs byte for byte as ssh-keygen does', async () => {
    makeKey('ed', '-t', 'ed25519');
    expect(await signed('ed')).toBe(signedByTool('ed'));
  });

  it('makes signatures that ssh-keygen -Y verify accepts', async () => {
    makeKey('verify', '-t', 'ed25519');
    writeFileSync(file('allowed'), `release@corp ${readFileSync(file('verify.pub'), 'utf8')}`);
    writeFileSync(file('release.sshsig'), await signed('verify'));
    const check = (input: Uint8Array): string =>
      execFileSync(
        'ssh-keygen',
        ['-Y', 'verify', '-f', file('allowed'), '-I', 'release@corp', '-n', 'deliver', '-s', file('release.sshsig')],
        {
          input,
          stdio: 'pipe',
        },
      ).toString();
    expect(check(root)).toContain('Good "deliver" signature');
    expect(() => check(Buffer.from('another'))).toThrow();
  });

  it.each([
    ['ed25519', ['-t', 'ed25519']],
    ['ecdsa256', ['-t', 'ecdsa', '-b', '256']],
    ['ecdsa384', ['-t', 'ecdsa', '-b', '384']],
    ['ecdsa521', ['-t', 'ecdsa', '-b', '521']],
    ['rsa', ['-t', 'rsa', '-b', '2048']],
  ])('accepts what ssh-keygen signed with %s, and only over these bytes', (name, options) => {
    makeKey(name, ...options);
    for (let times = 0; times < 4; times++) {
      const armored = signedByTool(name);
      expect(checkSignature(root, armored, trusted(name))).toMatchObject({
        verdict: 'trusted',
        signer: { name: `${name}@corp` },
      });
      expect(checkSignature(Buffer.from('another'), armored, trusted(name))).toMatchObject({ verdict: 'wrong' });
      expect(checkSignature(root, armored, [])).toMatchObject({ verdict: 'unknown-key' });
    }
  });

  it('refuses a good signature that was made for something else', () => {
    makeKey('git', '-t', 'ed25519');
    expect(checkSignature(root, signedByTool('git', 'git'), trusted('git'))).toMatchObject({
      verdict: 'wrong',
      why: expect.stringContaining('“git”'),
    });
  });

  it('says wrong, and never throws, whatever byte of a signature is flipped', async () => {
    makeKey('flip', '-t', 'ed25519');
    const armored = await signed('flip');
    for (let at = 0; at < armored.length - 1; at++) {
      const flipped = Buffer.from(armored);
      flipped.writeUInt8(flipped.readUInt8(at) ^ 2, at);
      const { verdict } = checkSignature(root, flipped.toString('latin1'), trusted('flip'));
      // Line breaks are not part of the signature.
      if (armored[at] !== '\n') expect(verdict, `byte ${at}`).not.toBe('trusted');
    }
  });

  it('asks for the passphrase of an encrypted key, and only of such a key', async () => {
    makeKey('locked', '-t', 'ed25519', '-N', 'correct horse');
    const text = readFileSync(file('locked'), 'utf8');
    const key = await parseSigningKey(text, 'locked', () => Promise.resolve(new Secret('correct horse')));
    expect(checkSignature(root, await signRoot(root, key), trusted('locked'))).toMatchObject({ verdict: 'trusted' });
    await expect(parseSigningKey(text, 'locked', () => Promise.resolve(new Secret('wrong horse')))).rejects.toThrowWithCode(
      'E_SIGN_KEY',
      'passphrase is wrong',
    );
  });

  it('says which keys can sign when it is given another', async () => {
    makeKey('other', '-t', 'ecdsa');
    const parse = (text: string): Promise<unknown> => parseSigningKey(text, 'other', noPassphrase);
    await expect(parse(readFileSync(file('other'), 'utf8'))).rejects.toThrowWithCode('E_SIGN_KEY', 'ssh-ed25519');
    await expect(parse(readFileSync(file('other.pub'), 'utf8'))).rejects.toThrowWithCode('E_SIGN_KEY', 'public key');
    await expect(parse('nonsense')).rejects.toThrowWithCode('E_SIGN_KEY');
  });

  it('carries signatures in the bundle, where the reader finds them again', async () => {
    const { lock, content } = smallRelease();
    makeKey('packer', '-t', 'ed25519');
    makeKey('gateway', '-t', 'ed25519');
    const { rootBytes } = planBundle(lock, []);
    const signatures = [{ armored: await signed('packer', rootBytes) }, { armored: await signed('gateway', rootBytes) }];
    const path = file('signed.tar');
    writeFileSync(path, bundleBytes(planBundle(lock, signatures), content));
    const bundle = await openBundle(path);
    await bundle.close();
    expect(bundle.signatures).toEqual(signatures);
    expect(judgeTrust(bundle, policy('gateway')).signers).toMatchObject([{ name: 'gateway@corp' }]);
    expect(judgeTrust(bundle, await loadTrustPolicy([`${file('packer')}.pub`])).signers).toMatchObject([{ name: 'packer@corp' }]);
    expect((await inspectBundle(path)).signatures).toMatchObject([{ state: 'good' }, { state: 'good' }]);
  });

  it('judges unsigned, untrusted and wrong apart, and lets only the first two be waived', async () => {
    makeKey('known', '-t', 'ed25519');
    makeKey('stranger', '-t', 'ed25519');
    const bundle = (...armored: string[]) => ({
      path: 'b.tar',
      rootBytes: root,
      signatures: armored.map((text) => ({ armored: text })),
    });
    const unsigned = bundle();
    const strange = bundle(await signed('stranger'));
    const wrong = bundle(await signed('known'), await signed('known', Buffer.from('another release')));
    expect(() => judgeTrust(unsigned, policy('known'))).toThrowWithCode('E_UNSIGNED');
    expect(() => judgeTrust(strange, policy('known'))).toThrowWithCode('E_UNTRUSTED', /SHA256:[\s\S]*known@corp/);
    expect(() => judgeTrust(strange, policy())).toThrowWithCode('E_UNTRUSTED', 'no key at all');
    expect(() => judgeTrust(wrong, policy('known'))).toThrowWithCode('E_SIGNATURE');
    expect(judgeTrust(unsigned, policy(), { allowUnsigned: true }).signers).toEqual([]);
    expect(judgeTrust(strange, policy(), { allowUnsigned: true }).signers).toEqual([]);
    expect(() => judgeTrust(wrong, policy('known'), { allowUnsigned: true })).toThrowWithCode('E_SIGNATURE');
    expect(judgeTrust(bundle(await signed('stranger'), await signed('known')), policy('known')).signers).toHaveLength(1);
  });
});
