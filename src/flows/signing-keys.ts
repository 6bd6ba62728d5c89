import { readFile } from 'node:fs/promises';
import type { Signer } from '../bundle/signature/check-signature.ts';
import { verifyWith } from '../bundle/signature/public-key.ts';
import { isPublicKeyText, parseAgentKey, parseSigningKey, type RootSigner } from '../bundle/signature/sign.ts';
import { DeliverError, messageOf } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';
import type { KeyAgent } from '../ssh/port.ts';

/** A key that signs, and how its owner is shown. */
export interface NamedKey {
  readonly key: RootSigner;
  readonly signer: Signer;
}

export interface SigningPorts {
  /** Asked only for an encrypted key. */
  askPassphrase(path: string): Promise<Secret>;
  /** Signs for public keys; absent where there is none. */
  readonly keyAgent?: KeyAgent;
}

/**
 * What signs for these files, each key once: a private key does itself, for a public one the agent is asked.
 * @throws DeliverError E_SIGN_KEY
 */
export async function signersOf(paths: readonly string[], ports: SigningPorts): Promise<readonly NamedKey[]> {
  return named(paths, async (path) => {
    const text = await readKey(path);
    if (isPublicKeyText(text)) return agentKey(text, path, ports.keyAgent);
    return parseSigningKey(text, path, (asked) => ports.askPassphrase(asked));
  });
}

async function named(paths: readonly string[], read: (path: string) => Promise<RootSigner>): Promise<readonly NamedKey[]> {
  const keys = new Map<string, NamedKey>();
  // One after the other: a person may be asked for several passphrases.
  for (const path of paths) {
    const key = await read(path);
    const name = key.comment === '' ? path : key.comment;
    keys.set(key.fingerprint, { key, signer: { name, fingerprint: key.fingerprint } });
  }
  return [...keys.values()];
}

async function agentKey(text: string, path: string, agent: KeyAgent | undefined): Promise<RootSigner> {
  const key = parseAgentKey(text, path);
  const fix = `Give the private key (the file without .pub), or let an agent hold it: ssh-add ${path.replace(/\.pub$/, '')}`;
  if (agent === undefined)
    throw unusable(path, 'It is a public key, and there is no ssh-agent to sign with it: SSH_AUTH_SOCK is not set.', fix);
  const sign = await agent.signerOf(key.publicKey);
  if (sign === undefined)
    throw unusable(path, `It is a public key, and the ssh-agent does not hold its private half (${key.fingerprint}).`, fix);
  return {
    ...key,
    async sign(data) {
      const signature = await sign(data);
      if (verifyWith({ blob: key.publicKey }, 'ssh-ed25519', data, signature)) return signature;
      throw unusable(path, 'What the ssh-agent gave is no signature by this key.', fix);
    },
  };
}

async function readKey(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new DeliverError('E_SIGN_KEY', {
      what: `${path} can't be used to sign.`,
      why: messageOf(error),
      fix: 'Give the path of an OpenSSH ed25519 private key; make one with: deliver keygen FILE',
      state: 'Nothing was written.',
      cause: error,
    });
  });
}

function unusable(path: string, why: string, fix: string): DeliverError {
  return new DeliverError('E_SIGN_KEY', { what: `${path} can't be used to sign.`, why, fix, state: 'Nothing was written.' });
}
