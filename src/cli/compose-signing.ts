import type { SigningPorts } from '../flows/signing-keys.ts';
import { SshKeyAgent } from '../ssh/key-agent.ts';
import { passphrasesFor } from './passphrase.ts';

/** What the verbs that sign need; passphrases are asked for before anything is drawn. @throws DeliverError E_SIGN_KEY */
export async function signingPorts(keyPaths: readonly string[]): Promise<SigningPorts> {
  const socket = process.env['SSH_AUTH_SOCK'] ?? '';
  const askPassphrase = await passphrasesFor(keyPaths);
  return { askPassphrase, ...(socket === '' ? {} : { keyAgent: new SshKeyAgent(socket) }) };
}
