import { createHash, randomBytes, randomInt, X509Certificate } from 'node:crypto';
import { stringify } from 'yaml';
import { DeliverError } from '../../core/errors.ts';
import { Secret } from '../../core/secret.ts';
import type { HostConnection } from '../../ssh/port.ts';
import { TOKEN_DESCRIPTION } from './config.ts';
import { kubectl, kubectlLine, tryOnHost } from './host.ts';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';
/** Long enough for one join on a slow host, and for the joins of a whole site after it. */
const TOKEN_MINUTES = 60;

/** A token that lets nodes join, `[a-z0-9]{6}.[a-z0-9]{16}`. */
export function newToken(): Secret {
  const word = (length: number): string => Array.from({ length }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
  return new Secret(`${word(6)}.${word(16)}`);
}

export const TOKEN_TTL = `${String(TOKEN_MINUTES)}m0s`;

/** What kubeadm encrypts the control plane’s keys with while they lie in the cluster: 32 bytes. */
export function newCertificateKey(): Secret {
  return new Secret(randomBytes(32).toString('hex'));
}

/** Makes a token known to the cluster; it goes through standard input only. */
export async function publishToken(control: HostConnection, token: Secret, now: Date): Promise<void> {
  const [id = '', secret = ''] = token.reveal().split('.');
  const manifest = stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'bootstrap.kubernetes.io/token',
    metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
    stringData: {
      'token-id': id,
      'token-secret': secret,
      description: TOKEN_DESCRIPTION,
      expiration: new Date(now.getTime() + TOKEN_MINUTES * 60_000).toISOString().replace(/\.\d+Z$/, 'Z'),
      'usage-bootstrap-authentication': 'true',
      'usage-bootstrap-signing': 'true',
      'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token',
    },
  });
  await kubectl(control, 'create -f - -o name', { what: 'making a join token', stdin: manifest });
}

/** The proxy that kubeadm makes so that kubeadm-certs ends with it; its lease is two hours. */
const CERTS_PROXY = 'Proxy for managing TTL for the kubeadm-certs secret';

/**
 * Deletes the join tokens that deliver made and the uploaded keys of the control plane, also those that a killed run left.
 * Names and descriptions only are read. Tokens of others stay.
 */
export async function forgetSecrets(control: HostConnection, signal?: AbortSignal): Promise<number> {
  const list = kubectlLine(
    `-n kube-system get secrets --field-selector type=bootstrap.kubernetes.io/token -o jsonpath='{range .items[*]}{.metadata.name}{" "}{.data.description}{"\\n"}{end}'`,
  );
  const work = { what: 'deleting join tokens', ...(signal === undefined ? {} : { signal }) };
  const ran = await tryOnHost(control, list, work);
  if (ran.code !== 0) return 0;
  const ours = ran.stdout.split('\n').flatMap((line) => {
    const [name = '', description = ''] = line.split(' ');
    const text = Buffer.from(description, 'base64').toString('utf8');
    return /^bootstrap-token-[a-z0-9]{6}$/.test(name) && (text === TOKEN_DESCRIPTION || text.startsWith(CERTS_PROXY))
      ? [{ name, text }]
      : [];
  });
  if (ours.length === 0) return 0;
  const names = [...ours.map(({ name }) => name), 'kubeadm-certs'];
  await kubectl(control, `-n kube-system delete secret --ignore-not-found ${names.join(' ')}`, work);
  return ours.length;
}

/** `sha256:…` of the public key of a cluster’s CA, by which a joining node knows it. */
export function caHashOf(pem: string): string {
  try {
    const key = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
    return `sha256:${createHash('sha256').update(key).digest('hex')}`;
  } catch (cause) {
    throw new DeliverError('E_HOST', { what: 'The cluster’s CA certificate can’t be read.', cause });
  }
}
