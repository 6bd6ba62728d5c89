import { describe, expect, it } from 'vitest';
import type { SiteHost } from '../../../src/manifest/site-schema.ts';
import { hostKeyPolicy, type HostKeyPolicy } from '../../../src/ssh/host-key.ts';
import { parseKnownHosts } from '../../../src/ssh/known-hosts.ts';
import { keyText } from '../../support/ssh-key.ts';

const RSA = keyText('ssh-rsa', 'r');
const ED = keyText('ssh-ed25519', 'e');
const blob = (text: string): Buffer => Buffer.from(text.split(' ')[1] ?? '', 'base64');

function policy(knownHosts: string, more: Partial<SiteHost> = {}): HostKeyPolicy {
  return hostKeyPolicy({ name: 'cp1', address: '10.0.0.1', ...more }, parseKnownHosts(knownHosts), '/k/known_hosts');
}

describe('host keys', () => {
  it('asks first for the kinds of key that it knows', () => {
    expect(policy(`10.0.0.1 ${RSA}`).algorithms.slice(0, 2)).toEqual(['rsa-sha2-512', 'rsa-sha2-256']);
    expect(policy('').algorithms[0]).toBe('ssh-ed25519');
  });

  it('lets a pinned key win over known_hosts', () => {
    const pinned = policy(`10.0.0.1 ${RSA}`, { hostKey: `${ED} root@cp1` });
    expect(pinned.refusal(blob(ED))).toBeUndefined();
    expect(pinned.refusal(blob(RSA))).toThrowWithCode('E_HOST_KEY', 'the site file expects');
  });

  it('calls another kind of key a wrong one as well', () => {
    expect(policy(`10.0.0.1 ${RSA}`).refusal(blob(ED))).toThrowWithCode('E_HOST_KEY', 'WRONG HOST KEY');
  });

  it('says for an unknown host which line to write', () => {
    expect(policy(`10.0.0.2 ${ED}`).refusal(blob(ED))).toThrowWithCode('E_HOST_KEY', `hostKey: "${ED}"`);
    expect(policy(`@cert-authority * ${RSA}`).refusal(blob(ED))).toThrowWithCode('E_HOST_KEY', '@cert-authority');
  });

  it('refuses a pinned key that is none', () => {
    expect(() => policy('', { hostKey: 'SHA256:abc' })).toThrowWithCode('E_HOST_KEY', 'not a public key');
  });
});
