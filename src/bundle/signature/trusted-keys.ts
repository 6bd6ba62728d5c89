import { DeliverError } from '../../core/errors.ts';
import { PEM_BEGIN, parsePemKey } from './pem-key.ts';
import { typeOfBlob, type PublicKey } from './public-key.ts';
import { SSHSIG_NAMESPACE } from './sshsig.ts';
import { timeLimits } from '../time-limits.ts';

const KEY_TYPE = /^(?:ssh-|ecdsa-sha2-|sk-)[a-z0-9@.-]+$/;

/**
 * Public keys in a text: lines of a `.pub` file (`ssh-ed25519 AAAA… name`) or of an allowed_signers file
 * (`name [options] ssh-ed25519 AAAA…`, ssh-keygen(1)); comments and empty lines are skipped. Or a PEM public key (cosign.pub).
 * @param source for messages: the file, or the place in the site file
 * @throws DeliverError E_SCHEMA naming every line that is no public key; E_NOT_YET for certificates
 */
export function parseTrustedKeys(text: string, source: string): readonly PublicKey[] {
  if (text.includes(PEM_BEGIN)) return [parsePemKey(text, source)];
  const bad: string[] = [];
  const keys = text.split(/\r?\n/).flatMap((line, at) => {
    const place = `${source}:${String(at + 1)}`;
    if (line.trim() === '' || line.trim().startsWith('#')) return [];
    const key = parseLine(line.trim(), place);
    if (typeof key === 'string') bad.push(`${place} ${key}`);
    return typeof key === 'string' || key === undefined ? [] : [key];
  });
  if (bad.length === 0 && keys.length > 0) return keys;
  throw new DeliverError('E_SCHEMA', {
    what: `${source} is not a list of public keys.`,
    fix: 'Give lines like “ssh-ed25519 AAAA… name”, a .pub file, or an allowed_signers file.',
    details: bad.length > 0 ? bad : [`${source} holds no key`],
  });
}

/** True for text that is a key itself rather than the name of a file with keys. */
export function looksLikeKey(text: string): boolean {
  return (
    text.includes(PEM_BEGIN) || words(text).some((word, at, all) => KEY_TYPE.test(word) && (all[at + 1] ?? '').startsWith('AAAA'))
  );
}

/** The key, what is wrong with the line, or undefined for a key that was given for other namespaces only. */
function parseLine(line: string, place: string): PublicKey | string | undefined {
  if (line.includes('PRIVATE KEY')) return 'is a private key; give the .pub file';
  const all = words(line);
  const at = all.findIndex((word, index) => KEY_TYPE.test(word) && index <= 2);
  const type = all[at];
  const base64 = all[at + 1];
  if (type === undefined || base64 === undefined) return 'is not a public key';
  const options = at === 2 ? (all[1] ?? '') : '';
  if (/(?:^|,)cert-authority/i.test(options)) {
    throw new DeliverError('E_NOT_YET', {
      what: `${place}: certificates of signers are not supported yet.`,
      fix: 'Give the public key of each signer itself, without cert-authority.',
    });
  }
  const namespaces = /(?:^|,)namespaces="([^"]*)"/i.exec(options)?.[1];
  if (namespaces !== undefined && !namespaces.split(',').some(matchesNamespace)) return undefined;
  const blob = Buffer.from(base64, 'base64');
  if (blob.toString('base64').replace(/=+$/, '') !== base64.replace(/=+$/, '') || innerType(blob) !== type)
    return `is not a whole ${type} key`;
  const limits = timeLimits(options);
  if (typeof limits === 'string') return limits;
  return { type, blob, name: at === 0 ? all.slice(2).join(' ') : (all[0] ?? ''), ...limits };
}

function matchesNamespace(pattern: string): boolean {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${expression}$`).test(SSHSIG_NAMESPACE);
}

function innerType(blob: Buffer): string | undefined {
  try {
    return typeOfBlob(blob);
  } catch {
    return undefined;
  }
}

/** Words of a line; white space inside double quotes does not separate. */
function words(line: string): readonly string[] {
  return line.match(/(?:"[^"]*"|[^\s"])+/g) ?? [];
}
