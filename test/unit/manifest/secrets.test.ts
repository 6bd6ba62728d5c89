import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { secretsOf } from '../../../src/manifest/secrets.ts';
import { sitePath } from '../../../src/manifest/site-path.ts';
import type { Site } from '../../../src/manifest/site-schema.ts';
import { folderWith } from '../../support/files.ts';

const SITE: Site = { apiVersion: 'deliver/v1', kind: 'Site', metadata: { name: 'plant' }, secrets: './secrets.yaml' };

describe('the secrets of a site', () => {
  it('come from the environment first, then from the file, exactly as written', async () => {
    const folder = await folderWith({ 'secrets.yaml': 'harbor: 00123\nreg1.pw: "a: b"\nother: yes\n' });
    const secrets = await secretsOf(SITE, folder, { DELIVER_SECRET_REG1_PW: 'from the environment' });
    expect(['harbor', 'reg1.pw', 'other'].map((name) => secrets.get(name).reveal())).toEqual([
      '00123',
      'from the environment',
      'yes',
    ]);
    expect(JSON.stringify(secrets.get('harbor'))).toBe('"***"');
  });

  it('say where they were looked for when one is missing', async () => {
    const folder = await folderWith({ 'secrets.yaml': 'harbor: x\n' });
    const secrets = await secretsOf(SITE, folder, {});
    expect(() => secrets.get('harbro')).toThrowWithCode('E_SECRET_MISSING', 'DELIVER_SECRET_HARBRO');
    expect(() => secrets.get('harbro')).toThrowWithCode('E_SECRET_MISSING', join(folder, 'secrets.yaml'));
    expect(() => secrets.get('harbro')).toThrowWithCode('E_SECRET_MISSING', 'Did you mean “harbor”?');
  });

  it.each([
    ['is encrypted with SOPS', 'harbor: ENC[AES256_GCM,data:x]\nsops: {}\n', 'E_NOT_YET'],
    ['is encrypted with age', '-----BEGIN AGE ENCRYPTED FILE-----\nabc\n', 'E_NOT_YET'],
    ['is no map', '- hunter22\n', 'E_SCHEMA'],
    ['holds more than text', 'harbor: { password: hunter22 }\n', 'E_SCHEMA'],
    ['is no YAML', 'harbor: *hunter22\n', 'E_YAML'],
  ] as const)('are refused without being shown when the file %s', async (_, text, code) => {
    const folder = await folderWith({ 'secrets.yaml': text });
    const error: unknown = await secretsOf(SITE, folder, {}).catch((thrown: unknown) => thrown);
    expect(error).toThrowWithCode(code);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('hunter22');
  });

  it('are looked for next to the site file, or in the home directory', () => {
    expect(sitePath('/etc/site', './a')).toBe('/etc/site/a');
    expect(sitePath('/etc/site', '/b')).toBe('/b');
    expect(sitePath('/etc/site', '~/.ssh/id')).toBe(join(homedir(), '.ssh/id'));
  });
});
