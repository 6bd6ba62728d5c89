import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { keysOf, parseKnownHosts } from '../../../src/ssh/known-hosts.ts';
import { keyText } from '../../support/ssh-key.ts';

const A = keyText('ssh-ed25519', 'a');
const B = keyText('ssh-rsa', 'b');

const trusted = (text: string, address: string, port = 22): string[] =>
  keysOf(parseKnownHosts(text), address, port).trusted.map((key) => `${key.type} ${key.blob.toString('base64')}`);

describe('known_hosts', () => {
  it('finds all keys of a host under any of its names', () => {
    const text = `# a comment\n\ncp1,10.0.0.1 ${A} someone@somewhere\nCP1 ${B}\nother ${B}\n`;
    expect(trusted(text, 'cp1')).toEqual([A, B]);
    expect(trusted(text, '10.0.0.1')).toEqual([A]);
    expect(trusted(text, '10.0.0.10')).toEqual([]);
  });

  it('knows ports: the one with the port wins, else the one without counts', () => {
    const text = `[h]:2222 ${A}\nh ${B}\n`;
    expect(trusted(text, 'h', 2222)).toEqual([A]);
    expect(trusted(text, 'h', 2200)).toEqual([B]);
    expect(trusted(text, 'h')).toEqual([B]);
    expect(trusted(`[h]:2222 ${A}\n`, 'h')).toEqual([]);
  });

  it('follows wildcards and exceptions', () => {
    const text = `*.plant,!bad.plant,10.0.?.1 ${A}\n`;
    expect(trusted(text, 'w1.plant')).toEqual([A]);
    expect(trusted(text, 'bad.plant')).toEqual([]);
    expect(trusted(text, '10.0.7.1')).toEqual([A]);
    expect(trusted(text, '10.0.77.1')).toEqual([]);
    expect(trusted(`a.b ${A}\n`, 'axb')).toEqual([]);
  });

  it('reads names that ssh-keygen has hashed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'deliver-known-'));
    try {
      const file = join(folder, 'known_hosts');
      writeFileSync(file, `10.0.0.1 ${A}\n[h]:2222 ${B}\n`);
      expect(spawnSync('ssh-keygen', ['-H', '-f', file]).status).toBe(0);
      const text = readFileSync(file, 'utf8');
      expect(text).toMatch(/^\|1\|/);
      expect(trusted(text, '10.0.0.1')).toEqual([A]);
      expect(trusted(text, 'h', 2222)).toEqual([B]);
      expect(trusted(text, '10.0.0.2')).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('keeps revoked keys and authorities apart from trusted ones', () => {
    const found = keysOf(parseKnownHosts(`@revoked * ${A}\n@cert-authority *.plant ${B}\nw1.plant ${A}\n`), 'w1.plant', 22);
    expect(found.trusted).toHaveLength(1);
    expect(found.revoked.map((key) => key.line)).toEqual([1]);
    expect(found.authorityLines).toEqual([2]);
  });

  it('skips lines that are not keys: truncated, mistyped, unknown marker', () => {
    const text = [
      'h',
      'h ssh-ed25519',
      'h ssh-ed25519 ????',
      `h ssh-rsa ${A.split(' ')[1] ?? ''}`,
      `@future h ${A}`,
      '|1|x h',
    ].join('\n');
    expect(parseKnownHosts(text)).toEqual([]);
  });
});
