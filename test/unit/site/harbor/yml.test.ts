import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Secret } from '../../../../src/core/secret.ts';
import { harborMove } from '../../../../src/site/harbor/version.ts';
import { harborYml } from '../../../../src/site/harbor/yml.ts';
import type { RegistrySettings } from '../../../../src/site/registry/settings.ts';

const TEMPLATE = readFileSync(new URL('../../../lab/harbor-installer/harbor.yml.tmpl', import.meta.url), 'utf8').replace(
  '@MINOR@',
  '2.14',
);
const SETTINGS: RegistrySettings = {
  kind: 'harbor',
  site: 'plant-7',
  on: 'reg1',
  hostname: 'registry.site.local',
  port: 8443,
  names: ['registry.site.local'],
  dataVolume: '/srv/harbor',
  account: { username: 'admin', password: new Secret('Admin-Password-1') },
};
const FIRST = { admin: SETTINGS.account.password, database: new Secret('Database-Password-1') };

describe('harbor.yml', () => {
  it('is the template of its version with the site’s values, and all else as it was', () => {
    const before = parse(TEMPLATE) as Record<string, unknown>;
    const after = parse(harborYml(TEMPLATE, SETTINGS, FIRST)) as Record<string, unknown>;
    expect(after).toEqual({
      ...before,
      hostname: 'registry.site.local',
      https: { port: 8443, certificate: '/etc/deliver/registry/server.crt', private_key: '/etc/deliver/registry/server.key' },
      harbor_admin_password: 'Admin-Password-1',
      database: { ...(before['database'] as object), password: 'Database-Password-1' },
      data_volume: '/srv/harbor',
    });
    expect(after['_version']).toBe('2.14.0');
  });

  it('stays byte for byte when nothing differs, with what was changed there by hand', () => {
    const written = `${harborYml(TEMPLATE, SETTINGS, FIRST)}# by hand\nmetric:   {enabled: true, port: 9090}\n`;
    expect(harborYml(written, SETTINGS)).toBe(written);
    const renamed = harborYml(written, { ...SETTINGS, hostname: 'hub.site.local' });
    expect(parse(renamed)).toMatchObject({ hostname: 'hub.site.local', metric: { enabled: true } });
    // Later passwords live in Harbor's database.
    expect(parse(renamed)).toMatchObject({ harbor_admin_password: 'Admin-Password-1' });
  });

  it('is refused when it is none', () => {
    expect(() => harborYml('hostname: x\n', SETTINGS)).toThrowWithCode('E_HOST', 'reg1');
    expect(() => harborYml('a: [', SETTINGS)).toThrowWithCode('E_HOST');
  });
});

describe('an upgrade of Harbor', () => {
  it('goes over at most three minor versions, and never back', () => {
    expect(harborMove(undefined, 'v2.14.0')).toBe('install');
    expect(harborMove('v2.14.0', '2.14.0')).toBe('keep');
    expect(harborMove('v2.14.0', 'v2.14.1')).toBe('upgrade');
    expect(harborMove('v2.11.2', 'v2.14.0')).toBe('upgrade');
    expect(() => harborMove('v2.10.0', 'v2.14.0')).toThrowWithCode('E_PREFLIGHT', '2.13.x');
    expect(() => harborMove('v2.14.0', 'v2.13.2')).toThrowWithCode('E_PREFLIGHT', 'older');
    expect(() => harborMove('v1.10.0', 'v2.0.0')).toThrowWithCode('E_PREFLIGHT', 'major');
  });
});
