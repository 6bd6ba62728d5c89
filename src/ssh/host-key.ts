import type { ServerHostKeyAlgorithm } from 'ssh2';
import { DeliverError } from '../core/errors.ts';
import type { SiteHost } from '../manifest/site-schema.ts';
import { portOf, where } from './endpoint.ts';
import { fingerprint, parsePublicKey, publicKeyText, typeOfBlob, type PublicKey } from './key-blob.ts';
import { keysOf, type HostKeys } from './known-hosts.ts';

type KnownHosts = Parameters<typeof keysOf>[0];

/** Which key a host must show. */
export interface HostKeyPolicy {
  /** Types that we know for this host first, so that the server shows the one that can be compared. */
  readonly algorithms: ServerHostKeyAlgorithm[];
  /** Undefined when the key is the right one, else the E_HOST_KEY to fail with. */
  refusal(shown: Buffer): DeliverError | undefined;
}

// SHA-1 signatures (“ssh-rsa”) are left out: rsa-sha2-* verifies the same RSA keys.
const ALGORITHMS: ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

/**
 * The policy for one host: its pinned `hostKey`, else known_hosts (`source` is that file's path).
 * @throws DeliverError E_HOST_KEY when the pinned key can't be read
 */
export function hostKeyPolicy(host: SiteHost, knownHosts: KnownHosts, source: string): HostKeyPolicy {
  if (host.hostKey !== undefined) {
    const pinned = parsePublicKey(host.hostKey);
    if (pinned === undefined) throw unreadable(host);
    return policy(host, { trusted: [{ ...pinned, line: 0 }], revoked: [], authorityLines: [] }, 'the site file');
  }
  return policy(host, keysOf(knownHosts, host.address, portOf(host)), source);
}

function policy(host: SiteHost, known: HostKeys, source: string): HostKeyPolicy {
  const types = new Set(known.trusted.map((key) => key.type));
  return {
    algorithms: ALGORITHMS.toSorted((a, b) => Number(types.has(keyType(b))) - Number(types.has(keyType(a)))),
    refusal(shown) {
      const revoked = known.revoked.find((key) => key.blob.equals(shown));
      if (revoked !== undefined) return isRevoked(host, shown, `${source}:${String(revoked.line)}`);
      if (known.trusted.some((key) => key.blob.equals(shown))) return undefined;
      return known.trusted.length > 0 ? changed(host, known.trusted, shown, source) : unknown(host, known, shown, source);
    },
  };
}

function keyType(algorithm: ServerHostKeyAlgorithm): string {
  return algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm;
}

function described(blob: Buffer): string {
  return `${typeOfBlob(blob) ?? 'unknown type'} ${fingerprint(blob)}`;
}

function howToPin(host: SiteHost, shown: Buffer): string {
  return (
    `Compare that fingerprint by another way: at the console of the host, “for f in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $f; done”. ` +
    `Only if it is the same, write below host ${host.name} in the site file:\n    hostKey: "${publicKeyText(shown)}"`
  );
}

const STATE = 'Nothing was sent to that host: the connection was closed before logging in.';

function unknown(host: SiteHost, known: HostKeys, shown: Buffer, source: string): DeliverError {
  const authorities = known.authorityLines.length === 0 ? '' : ' Its @cert-authority lines are not used by deliver.';
  return new DeliverError('E_HOST_KEY', {
    what: `The host key of ${where(host)} is not known, so nobody can tell whether it is that host.`,
    why: `${source} has no key for ${host.address}, and the site file pins none. The host shows ${described(shown)}.${authorities}`,
    fix: howToPin(host, shown),
    state: STATE,
  });
}

function changed(host: SiteHost, trusted: readonly PublicKey[], shown: Buffer, source: string): DeliverError {
  return new DeliverError('E_HOST_KEY', {
    what: `WRONG HOST KEY: ${where(host)} is not the host that it was.`,
    why:
      `${source} expects ${trusted.map((key) => described(key.blob)).join(' or ')}; the host shows ${described(shown)}. ` +
      'Either it was installed anew, or another machine answers at its address.',
    fix: `Find out which before anything else. ${howToPin(host, shown)}`,
    state: STATE,
  });
}

function isRevoked(host: SiteHost, shown: Buffer, place: string): DeliverError {
  return new DeliverError('E_HOST_KEY', {
    what: `REVOKED HOST KEY: ${where(host)} shows a key that must not be trusted any more.`,
    why: `${described(shown)} is marked @revoked at ${place}.`,
    fix: 'Give the host a new key, and tell whoever revoked the old one.',
    state: STATE,
  });
}

function unreadable(host: SiteHost): DeliverError {
  return new DeliverError('E_HOST_KEY', {
    what: `The hostKey of ${host.name} in the site file is not a public key.`,
    fix: 'Write type and key as in the host’s /etc/ssh/ssh_host_ed25519_key.pub: hostKey: "ssh-ed25519 AAAA…"',
    state: 'No connection was made.',
  });
}
