import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../../src/core/secret.ts';
import { makeCa, issueServer } from '../../../../src/site/registry/ca.ts';
import { daysLeft, givenCertificates, siteCertificates } from '../../../../src/site/registry/certificate.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const NAMES = ['registry.site.local', '10.77.0.10'];
const later = (days: number): Date => new Date(NOW.getTime() + days * 86_400_000);

describe('the private CA of a site', () => {
  it('is made once and signs a certificate for every name and address of the registry', async () => {
    const made = await siteCertificates({}, NAMES, 'plant-7', NOW);
    const ca = new X509Certificate(made.ca ?? '');
    const server = new X509Certificate(made.certificate);
    expect(ca.ca).toBe(true);
    expect(ca.subject).toContain('plant-7');
    expect(server.ca).toBe(false);
    expect(server.verify(ca.publicKey)).toBe(true);
    expect(server.checkIssued(ca)).toBe(true);
    expect(server.checkHost('registry.site.local')).toBe('registry.site.local');
    expect(server.checkIP('10.77.0.10')).toBe('10.77.0.10');
    expect(made.change).toBe('private CA and certificate made');
    expect(String(made.key)).toBe('***');
  });

  it('is left alone while the certificate has 30 days, and renews it with the same CA when it has fewer', async () => {
    const made = await siteCertificates({}, NAMES, 'plant-7', NOW);
    const same = await siteCertificates(made, NAMES, 'plant-7', later(790));
    expect(same).toMatchObject({ certificate: made.certificate, ca: made.ca });
    expect(same.change).toBeUndefined();
    const renewed = await siteCertificates(made, NAMES, 'plant-7', later(800));
    expect(renewed.ca).toBe(made.ca);
    expect(renewed.change).toBe('certificate renewed');
    expect(new X509Certificate(renewed.certificate).verify(new X509Certificate(made.ca ?? '').publicKey)).toBe(true);
    expect(daysLeft(renewed.certificate, later(800))).toBe(825);
  });

  it('issues a new certificate, by the same CA, for a name that came later', async () => {
    const made = await siteCertificates({}, NAMES, 'plant-7', NOW);
    const more = await siteCertificates(made, [...NAMES, 'hub.site.local'], 'plant-7', NOW);
    expect(more.ca).toBe(made.ca);
    expect(new X509Certificate(more.certificate).checkHost('hub.site.local')).toBe('hub.site.local');
  });

  it('keeps a good certificate whose CA key is lost, and makes a new CA only when it must', async () => {
    const { caKey: _lost, ...made } = await siteCertificates({}, NAMES, 'plant-7', NOW);
    expect((await siteCertificates(made, NAMES, 'plant-7', NOW)).certificate).toBe(made.certificate);
    const again = await siteCertificates(made, NAMES, 'plant-7', later(800));
    expect(again.ca).not.toBe(made.ca);
    expect(again.change).toBe('private CA and certificate made');
  });

  it('takes a key that was cut off half-way for none', async () => {
    const made = await siteCertificates({}, NAMES, 'plant-7', NOW);
    const torn = { ...made, key: new Secret(made.key.reveal().slice(0, 60)) };
    expect((await siteCertificates(torn, NAMES, 'plant-7', NOW)).change).toBe('certificate made');
  });
});

describe('a certificate of the site’s own', () => {
  it('is used as it is when it fits, and refused with the reason when it doesn’t', async () => {
    const ca = await makeCa('corp', NOW);
    const own = await issueServer(ca, ['registry.site.local'], NOW);
    const other = await issueServer(ca, ['elsewhere.local'], NOW);
    expect(givenCertificates(own, ca.certificate, 'registry.site.local', NOW).certificate).toBe(own.certificate);
    const using =
      (given: typeof own, at = NOW) =>
      () =>
        givenCertificates(given, undefined, 'registry.site.local', at);
    expect(using(other)).toThrowWithCode('E_SCHEMA', 'elsewhere.local');
    expect(using({ certificate: own.certificate, key: other.key })).toThrowWithCode('E_SCHEMA', 'another certificate');
    expect(using({ certificate: 'no', key: own.key })).toThrowWithCode('E_SCHEMA', 'no PEM');
    expect(using(own, later(900))).toThrowWithCode('E_SCHEMA', 'valid until');
  });
});
