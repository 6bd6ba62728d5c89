import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DeliverError } from '../../../../src/core/errors.ts';
import { siteCa } from '../../../../src/flows/install/site-ca.ts';
import type { LoadedSite } from '../../../../src/manifest/load-site.ts';
import type { HostConnector } from '../../../../src/ssh/port.ts';

let stateFolder: string;
beforeAll(async () => {
  stateFolder = await mkdtemp(join(tmpdir(), 'deliver-ca-'));
});
afterAll(() => rm(stateFolder, { recursive: true }));

const loaded = {
  folder: '/',
  site: {
    metadata: { name: 'plant-7' },
    hosts: [{ name: 'reg1', address: '10.77.0.10' }],
    roles: { registry: ['reg1'] },
    registry: { host: 'hub', username: 'admin', password: '${secret.x}', install: { kind: 'distribution' } },
  },
} as unknown as LoadedSite;
const hostWith = (file: string | undefined): HostConnector =>
  ({
    connect: () => Promise.resolve({ readFile: () => Promise.resolve(file === undefined ? undefined : Buffer.from(file)) }),
  }) as unknown as HostConnector;
const unreachable = {
  connect: () => Promise.reject(new DeliverError('E_SSH', { what: 'reg1 does not answer.' })),
} as unknown as HostConnector;

it('comes from the registry host, and from this user’s memory of it while that can’t be reached', async () => {
  expect(await siteCa({ loaded, stateFolder, hosts: hostWith(undefined) })).toBeUndefined();
  await expect(siteCa({ loaded, stateFolder, hosts: unreachable })).rejects.toThrowWithCode('E_SSH');
  expect(await siteCa({ loaded, stateFolder, hosts: hostWith('the CA') })).toBe('the CA');
  expect(await siteCa({ loaded, stateFolder, hosts: unreachable })).toBe('the CA');
  // The host is right, whatever was remembered.
  expect(await siteCa({ loaded, stateFolder, hosts: hostWith('a new CA') })).toBe('a new CA');
  expect(await siteCa({ loaded, stateFolder, hosts: unreachable })).toBe('a new CA');
});

it('is the one of the site file where that names one, and no host is asked', async () => {
  expect(await siteCa({ loaded, stateFolder, hosts: unreachable, ca: 'given' })).toBe('given');
});
