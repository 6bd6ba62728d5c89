import { readFile } from 'node:fs/promises';
import ssh2, { type AnyAuthMethod } from 'ssh2';
import { DeliverError, messageOf, systemCode } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';
import type { SiteHost } from '../manifest/site-schema.ts';
import { sitePath } from '../manifest/site-path.ts';
import { askAgent } from './agent.ts';
import { userOf } from './endpoint.ts';

/** One way to log in. */
export interface Attempt {
  /** For messages: “key /home/ops/.ssh/id_ed25519”, never a secret. */
  readonly label: string;
  readonly method: AnyAuthMethod;
}

export interface Credentials {
  /** In the order in which they are tried. */
  readonly attempts: readonly Attempt[];
  /** What could not be tried, and why. */
  readonly skipped: readonly string[];
}

export interface CredentialSources {
  /** Folder of the site file: key paths are relative to it. */
  readonly folder: string;
  readonly secrets: (variable: string) => Secret;
  readonly agentSocket?: string | undefined;
}

/**
 * Every way to log in to a host that the site file and the machine offer: key file, agent, password, keyboard-interactive.
 * @throws DeliverError E_FILE_NOT_FOUND, E_FILE_UNREADABLE for the key file, E_SECRET_MISSING
 */
export async function credentialsOf(host: SiteHost, sources: CredentialSources): Promise<Credentials> {
  const attempts: Attempt[] = [];
  const skipped: string[] = [];
  const username = userOf(host);
  if (host.key !== undefined) {
    const file = sitePath(sources.folder, host.key);
    const key = await readKey(host, file, host.passphrase === undefined ? undefined : sources.secrets(host.passphrase));
    if (typeof key === 'string') skipped.push(`key ${file}: ${key}`);
    else attempts.push({ label: `key ${file}`, method: { type: 'publickey', username, key } });
  }
  if (sources.agentSocket !== undefined && sources.agentSocket !== '') {
    const state = await askAgent(sources.agentSocket, host.password === undefined ? 5 : 3);
    if ('problem' in state) skipped.push(state.problem);
    else attempts.push({ label: `agent (${String(state.keys)} keys)`, method: { type: 'agent', username, agent: state.agent } });
  }
  if (host.password !== undefined) {
    const password = sources.secrets(host.password);
    attempts.push({ label: 'password', method: { type: 'password', username, password: password.reveal() } });
    attempts.push({
      label: 'keyboard-interactive with the password',
      method: { type: 'keyboard-interactive', username, prompt: answerOnce(password) },
    });
  }
  return { attempts, skipped };
}

async function readKey(host: SiteHost, file: string, passphrase: Secret | undefined): Promise<ssh2.ParsedKey | string> {
  const text = await readFile(file).catch((cause: unknown) => {
    throw new DeliverError(systemCode(cause) === 'ENOENT' ? 'E_FILE_NOT_FOUND' : 'E_FILE_UNREADABLE', {
      what: `The SSH key of host ${host.name} can’t be read: ${file}`,
      why: messageOf(cause),
      fix: `Correct key: of host ${host.name} in the site file; a path there is relative to that file.`,
      cause,
    });
  });
  const parsed = ssh2.utils.parseKey(text, passphrase?.reveal());
  // OpenSSH files may hold several keys; ssh2 then gives an array, though its types say otherwise.
  const key: unknown = Array.isArray(parsed) ? (parsed as unknown[])[0] : parsed;
  if (key instanceof Error) return explain(key.message, passphrase !== undefined);
  if (!isParsedKey(key)) return 'it holds no key';
  return key.isPrivateKey() ? key : 'it is a public key, the private one is needed';
}

function isParsedKey(key: unknown): key is ssh2.ParsedKey {
  return typeof key === 'object' && key !== null && 'isPrivateKey' in key;
}

function explain(message: string, hasPassphrase: boolean): string {
  if (/no passphrase given/i.test(message)) return 'it is encrypted, and the site file gives no passphrase: for it';
  if (hasPassphrase && /passphrase|integrity|decrypt/i.test(message)) return 'its passphrase is wrong';
  return `it can’t be used (${message})`;
}

type Prompt = Extract<AnyAuthMethod, { type: 'keyboard-interactive' }>['prompt'];

/** Answers the first hidden question with the password; a second one means that it was wrong, or that something else is wanted. */
function answerOnce(password: Secret): Prompt {
  let answered = false;
  return (_name, _instructions, _lang, prompts, finish) => {
    finish(
      prompts.map((prompt) => {
        if (answered || prompt.echo === true) return '';
        answered = true;
        return password.reveal();
      }),
    );
  };
}
