import { isIP } from 'node:net';
import { webcrypto } from 'node:crypto';
// The X.509 library registers its algorithms through it.
import 'reflect-metadata';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { Secret } from '../../core/secret.ts';

/** A certificate with its private key, both PEM. */
export interface Issued {
  readonly certificate: string;
  /** PKCS #8. */
  readonly key: Secret;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY = 86_400_000;
const CA_DAYS = 3650;
/** What browsers of today still accept from a private CA. */
const SERVER_DAYS = 825;
/** Clocks of a site differ: a certificate is valid from before it was made. */
const BACKDATED_DAYS = 1;

/** A private CA for one site: P-256, ten years, may sign server certificates and nothing below them. */
export async function makeCa(site: string, now: Date): Promise<Issued> {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [`deliver ${site} registry CA`] }],
    ...validity(now, CA_DAYS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return issued(certificate, keys);
}

/** A server certificate for these names and addresses; it never outlives its CA. */
export async function issueServer(ca: Issued, names: readonly string[], now: Date): Promise<Issued> {
  const authority = new X509Certificate(ca.certificate);
  const keys = await newKeys();
  const { notBefore, notAfter } = validity(now, SERVER_DAYS);
  const certificate = await X509CertificateGenerator.create({
    subject: [{ CN: [(names[0] ?? '').slice(0, 64)] }],
    issuer: authority.subject,
    notBefore,
    notAfter: notAfter < authority.notAfter ? notAfter : authority.notAfter,
    publicKey: keys.publicKey,
    signingKey: await signingKey(ca.key),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        [...new Set(names)].map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
      ),
      await AuthorityKeyIdentifierExtension.create(await authority.publicKey.export()),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return issued(certificate, keys);
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

function signingKey(key: Secret): Promise<webcrypto.CryptoKey> {
  const der = PemConverter.decodeFirst(key.reveal());
  return webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
}

async function issued(certificate: X509Certificate, { privateKey }: webcrypto.CryptoKeyPair): Promise<Issued> {
  const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', privateKey), 'PRIVATE KEY');
  return { certificate: `${certificate.toString('pem')}\n`, key: new Secret(`${key}\n`) };
}

function validity(now: Date, days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  return { notBefore: new Date(now.getTime() - BACKDATED_DAYS * DAY), notAfter: new Date(now.getTime() + days * DAY) };
}
