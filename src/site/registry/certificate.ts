import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { DeliverError, messageOf } from '../../core/errors.ts';
import type { Secret } from '../../core/secret.ts';
import { issueServer, makeCa, type Issued } from './ca.ts';

/** Days before its end at which a certificate is made anew. */
export const RENEW_DAYS = 30;
const DAY = 86_400_000;

/** What a registry host has of certificates now, PEM. */
export interface KeptCertificates {
  readonly ca?: string;
  readonly caKey?: Secret;
  readonly certificate?: string;
  readonly key?: Secret;
}

/** What it should have. */
export interface RegistryCertificates {
  /** What clients must trust; absent for a certificate that was given without one. */
  readonly ca?: string;
  readonly caKey?: Secret;
  readonly certificate: string;
  readonly key: Secret;
  /** `private CA made`, `certificate renewed`; undefined when all stays. */
  readonly change?: string;
  readonly until: Date;
}

/**
 * Keeps a private CA for ever and its server certificate until it nears its end, lacks a name or has lost its key.
 * @param names host names and addresses, the main one first
 */
export async function siteCertificates(
  kept: KeptCertificates,
  names: readonly string[],
  site: string,
  now: Date,
): Promise<RegistryCertificates> {
  const ca = keptPair(kept.ca, kept.caKey);
  const server = keptPair(kept.certificate, kept.key);
  // A CA whose key is gone can't renew, but what it signed is good until then.
  if (kept.ca !== undefined && server !== undefined && isGood(server.certificate, kept.ca, names, now)) {
    const { certificate, key } = server;
    return {
      ca: kept.ca,
      ...(ca === undefined ? {} : { caKey: ca.key }),
      certificate,
      key,
      until: new X509Certificate(certificate).validToDate,
    };
  }
  const usable = ca !== undefined && daysLeft(ca.certificate, now) > RENEW_DAYS;
  const authority = usable ? ca : await makeCa(site, now);
  const fresh = await issueServer(authority, names, now);
  return {
    ca: authority.certificate,
    caKey: authority.key,
    ...fresh,
    change: !usable ? 'private CA and certificate made' : server === undefined ? 'certificate made' : 'certificate renewed',
    until: new X509Certificate(fresh.certificate).validToDate,
  };
}

/**
 * A certificate of the site’s own; nothing of it is changed.
 * @param ca PEM that it must lead to, as far as that can be seen
 * @throws DeliverError E_SCHEMA when it doesn’t fit its key, its name or the day
 */
export function givenCertificates(given: Issued, ca: string | undefined, host: string, now: Date): RegistryCertificates {
  const refuse = (why: string): DeliverError =>
    new DeliverError('E_SCHEMA', {
      what: 'registry.install.certificate can’t be used.',
      why,
      fix: 'Give a PEM certificate (with its intermediates below it) and its unencrypted PEM key, or leave both out: deliver makes a private CA.',
    });
  const leaf = readCertificate(given.certificate);
  if (leaf === undefined) throw refuse('It is no PEM certificate.');
  try {
    if (!leaf.checkPrivateKey(createPrivateKey(given.key.reveal()))) throw refuse('The key belongs to another certificate.');
  } catch (error) {
    throw error instanceof DeliverError ? error : refuse(`The key can’t be read: ${messageOf(error)}.`);
  }
  if (!covers(leaf, host)) throw refuse(`It is for ${leaf.subjectAltName ?? leaf.subject}, and the registry is ${host}.`);
  if (leaf.validToDate <= now) throw refuse(`It was valid until ${leaf.validToDate.toISOString().slice(0, 10)}.`);
  return { ...(ca === undefined ? {} : { ca }), ...given, until: leaf.validToDate };
}

/** Whole days until a certificate ends. */
export function daysLeft(pem: string, now: Date): number {
  const certificate = readCertificate(pem);
  return certificate === undefined ? 0 : Math.floor((certificate.validToDate.getTime() - now.getTime()) / DAY);
}

function isGood(pem: string, ca: string, names: readonly string[], now: Date): boolean {
  const certificate = readCertificate(pem);
  const authority = readCertificate(ca);
  return (
    certificate !== undefined &&
    authority !== undefined &&
    certificate.verify(authority.publicKey) &&
    names.every((name) => covers(certificate, name)) &&
    daysLeft(pem, now) >= RENEW_DAYS &&
    daysLeft(ca, now) >= RENEW_DAYS
  );
}

function keptPair(certificate: string | undefined, key: Secret | undefined): Issued | undefined {
  const parsed = certificate === undefined ? undefined : readCertificate(certificate);
  if (certificate === undefined || key === undefined || parsed === undefined) return undefined;
  try {
    return parsed.checkPrivateKey(createPrivateKey(key.reveal())) ? { certificate, key } : undefined;
  } catch {
    return undefined;
  }
}

function readCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function covers(certificate: X509Certificate, name: string): boolean {
  return (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
}
