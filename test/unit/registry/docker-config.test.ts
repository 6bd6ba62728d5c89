import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DockerAccounts } from '../../../src/registry/docker-config.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'deliver-docker-config-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const auth = (pair: string): { auth: string } => ({ auth: Buffer.from(pair).toString('base64') });

function accounts(config: unknown): DockerAccounts {
  const path = join(folder, 'config.json');
  writeFileSync(path, typeof config === 'string' ? config : JSON.stringify(config));
  return new DockerAccounts({ DOCKER_CONFIG: folder, PATH: `${folder}:${process.env.PATH ?? ''}` });
}

function helper(name: string, script: string): void {
  const path = join(folder, `docker-credential-${name}`);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

it('finds the account of a host, a host with a port, and Docker Hub', async () => {
  const found = accounts({
    auths: {
      'quay.io': auth('robot:a:b'),
      '127.0.0.1:5000': { username: 'u', password: 'p' },
      'https://index.docker.io/v1/': auth('hub:secret'),
      'corp.example': { identitytoken: 'long-lived' },
    },
  });
  expect(await found.find('quay.io')).toEqual({ username: 'robot', password: 'a:b' });
  expect(await found.find('127.0.0.1:5000')).toEqual({ username: 'u', password: 'p' });
  expect(await found.find('docker.io')).toEqual({ username: 'hub', password: 'secret' });
  expect(await found.find('corp.example')).toEqual({ username: '<token>', password: 'long-lived' });
  expect(await found.find('ghcr.io')).toBeUndefined();
});

it('asks the helper of a host with the host on its standard input', async () => {
  helper('lab', 'read host; printf \'{"ServerURL":"%s","Username":"for %s","Secret":"s3cret"}\' "$host" "$host"');
  const found = accounts({ credHelpers: { 'quay.io': 'lab' }, auths: { 'quay.io': {} } });
  expect(await found.find('quay.io')).toEqual({ username: 'for quay.io', password: 's3cret' });
});

it('falls back to the file when the store has nothing', async () => {
  helper('empty', 'echo "credentials not found in native keychain"; exit 1');
  expect(await accounts({ credsStore: 'empty', auths: { 'quay.io': auth('a:b') } }).find('quay.io')).toEqual({
    username: 'a',
    password: 'b',
  });
});

it('says which helper failed', async () => {
  await expect(accounts({ credsStore: 'absent' }).find('quay.io')).rejects.toThrowWithCode(
    'E_SOURCE_AUTH',
    'docker-credential-absent',
  );
});

it('has no accounts without a file, and never quotes a broken one', async () => {
  expect(await new DockerAccounts({ DOCKER_CONFIG: join(folder, 'nowhere') }).find('quay.io')).toBeUndefined();
  const broken = accounts('{"auths":{"quay.io":{"password":hunter2}}}').find('quay.io');
  await expect(broken).rejects.toThrowWithCode('E_FILE_UNREADABLE');
  await expect(broken).rejects.not.toThrowWithCode('E_FILE_UNREADABLE', 'hunter2');
});
