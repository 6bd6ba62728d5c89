import { createHmac, timingSafeEqual } from 'node:crypto';
import { parsePublicKey, type PublicKey } from './key-blob.ts';

/** One line of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */
interface KnownHost extends PublicKey {
  readonly marker: 'none' | 'revoked' | 'cert-authority';
  /** Comma-separated patterns, or one `|1|salt|hash`. */
  readonly hosts: string;
  readonly line: number;
}

/** What a known_hosts file says about one host. */
export interface HostKeys {
  readonly trusted: readonly (PublicKey & { readonly line: number })[];
  readonly revoked: readonly (PublicKey & { readonly line: number })[];
  /** Lines with `@cert-authority` for this host: host certificates are not read, so they neither help nor harm. */
  readonly authorityLines: readonly number[];
}

/** A known_hosts file; lines that can't be read are skipped, as ssh does. */
export function parseKnownHosts(text: string): readonly KnownHost[] {
  return text.split('\n').flatMap((raw, index): KnownHost[] => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) return [];
    const words = line.split(/\s+/);
    const marker = markerOf(words[0] ?? '');
    if (marker === undefined) return [];
    const [hosts, type, blob] = marker === 'none' ? words : words.slice(1);
    const key = parsePublicKey(`${type ?? ''} ${blob ?? ''}`);
    return hosts === undefined || key === undefined ? [] : [{ ...key, marker, hosts, line: index + 1 }];
  });
}

/** The keys of `address:port`. Another port than 22 is looked up as `[address]:port`, then, as ssh does, without it. */
export function keysOf(file: readonly KnownHost[], address: string, port: number): HostKeys {
  const plain = address.toLowerCase();
  if (port === 22) return keysByName(file, plain);
  const own = keysByName(file, `[${plain}]:${String(port)}`);
  const loose = keysByName(file, plain);
  return { ...(own.trusted.length > 0 ? own : loose), revoked: [...own.revoked, ...loose.revoked] };
}

function keysByName(file: readonly KnownHost[], name: string): HostKeys {
  const matching = file.filter((entry) => matches(entry.hosts, name));
  return {
    trusted: matching.filter((entry) => entry.marker === 'none'),
    revoked: matching.filter((entry) => entry.marker === 'revoked'),
    authorityLines: matching.filter((entry) => entry.marker === 'cert-authority').map((entry) => entry.line),
  };
}

function markerOf(word: string): KnownHost['marker'] | undefined {
  if (!word.startsWith('@')) return 'none';
  if (word === '@revoked') return 'revoked';
  return word === '@cert-authority' ? 'cert-authority' : undefined;
}

function matches(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) return matchesHash(hosts, name);
  let found = false;
  for (const pattern of hosts.toLowerCase().split(',')) {
    const negated = pattern.startsWith('!');
    if (!wildcard(negated ? pattern.slice(1) : pattern).test(name)) continue;
    if (negated) return false;
    found = true;
  }
  return found;
}

function wildcard(pattern: string): RegExp {
  const escaped = pattern.replace(/[\\^$.+()|[\]{}]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}

function matchesHash(hosts: string, name: string): boolean {
  const [, version, salt = '', hash = ''] = hosts.split('|');
  if (version !== '1') return false;
  const expected = Buffer.from(hash, 'base64');
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}
