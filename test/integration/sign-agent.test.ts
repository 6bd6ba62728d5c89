import { execa } from 'execa';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCarry } from '../../src/carry/manifest.ts';
import { noisyRelease } from '../support/bundles.ts';
import { deliver } from '../support/cli.ts';
import { hasCommand } from '../support/has-command.ts';
import { signedBundle } from '../support/signed-bundle.ts';
import { startSshAgent, type SshAgent } from '../support/ssh-agent.ts';

const DEV = new URL('../../bin/dev.js', import.meta.url).pathname;

describe.skipIf(!hasCommand('ssh-agent'))('a key that a real ssh-agent holds', () => {
  let folder: string;
  let agent: SshAgent;
  let socket: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'deliver-agent-'));
    agent = await startSshAgent(folder);
    socket = agent.socket;
    for (const name of ['held', 'elsewhere'])
      await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', `${name}@corp`, '-f', join(folder, name)]);
    await execa('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', '', '-f', join(folder, 'ecdsa')]);
    for (const name of ['held', 'ecdsa']) {
      await execa('ssh-add', ['-q', join(folder, name)], { env: { SSH_AUTH_SOCK: socket } });
      // Only the agent can sign with it from here on.
      await rm(join(folder, name));
    }
    await writeFile(join(folder, 'suite.tar'), signedBundle(noisyRelease(50_000, 1), []).bytes);
  });
  afterAll(async () => {
    await agent.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const run = (args: readonly string[], agentSocket = socket) =>
    execa(process.execPath, [DEV, ...args], {
      reject: false,
      timeout: 60_000,
      cwd: folder,
      stdin: 'ignore',
      env: { DEBUG: '', SSH_AUTH_SOCK: agentSocket },
    });

  it('signs a bundle, as the private key itself would, and the signature counts', async () => {
    await copyFile(join(folder, 'suite.tar'), join(folder, 'signed.tar'));
    expect(await run(['sign', 'signed.tar', '--key', 'held.pub'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('held@corp') as string,
    });
    expect(await deliver(['verify', 'signed.tar', '--trust', 'held.pub'], folder)).toMatchObject({ exitCode: 0 });
    const again = await readFile(join(folder, 'signed.tar'));
    expect(await run(['sign', 'signed.tar', '--key', 'held.pub'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('already') as string,
    });
    expect((await readFile(join(folder, 'signed.tar'))).equals(again)).toBe(true);
  });

  it('signs what pack and split write', async () => {
    await writeFile(join(folder, 'note.txt'), 'hello');
    const release = {
      apiVersion: 'deliver/v1',
      kind: 'Release',
      metadata: { name: 'tiny', version: '1.0' },
      platforms: ['linux/amd64'],
      files: [{ name: 'note', path: './note.txt' }],
    };
    await writeFile(join(folder, 'tiny.yaml'), JSON.stringify(release));
    const packed = await run(['pack', 'tiny.yaml', '--output', 'out', '--sign-key', 'held.pub', '--volume-size', '1M']);
    expect(packed).toMatchObject({ exitCode: 0 });
    expect(await deliver(['verify', 'out/tiny-1.0.carry', '--trust', 'held.pub'], folder)).toMatchObject({ exitCode: 0 });
    const carry = parseCarry(await readFile(join(folder, 'out/tiny-1.0.carry/tiny-1.0.tar.carry.json')));
    expect(carry).toMatchObject({ signatures: [expect.stringContaining('BEGIN SSH SIGNATURE') as string] });
  });

  it.each([
    ['the agent does not hold', 'elsewhere.pub', true, 'does not hold its private half'],
    ['is of a kind that can’t sign', 'ecdsa.pub', true, 'supported is ssh-ed25519'],
    ['nobody holds', 'held.pub', false, 'SSH_AUTH_SOCK is not set'],
  ])('is asked for in words when it is one that %s, and nothing is written', async (_what, key, withAgent, words) => {
    const before = await readFile(join(folder, 'suite.tar'));
    const failed = await run(['sign', 'suite.tar', '--key', key], withAgent ? socket : '');
    expect(failed.exitCode).toBe(3);
    expect(`${failed.stdout}${failed.stderr}`.replace(/\s+/g, ' ')).toContain(words);
    expect((await readFile(join(folder, 'suite.tar'))).equals(before)).toBe(true);
  });

  it('says so when the agent is gone', async () => {
    const failed = await run(['sign', 'suite.tar', '--key', 'held.pub'], join(folder, 'no.sock'));
    expect(failed).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('ssh-add -l') as string });
  });
});
