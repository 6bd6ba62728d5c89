import type { ParsedKey } from 'ssh2';
import { DeliverError, messageOf } from '../core/errors.ts';
import type { KeyAgent } from './port.ts';

/** Milliseconds. An agent that is there lists its keys at once … */
const LIST_TIMEOUT = 5000;
/** … but to sign, a person may have to confirm (ssh-add -c). */
const SIGN_TIMEOUT = 120_000;

/** The agent at a socket: `SSH_AUTH_SOCK`. */
export class SshKeyAgent implements KeyAgent {
  readonly #socket: string;

  constructor(socket: string) {
    this.#socket = socket;
  }

  async signerOf(publicKey: Buffer): Promise<((data: Buffer) => Promise<Buffer>) | undefined> {
    // Only who signs with an agent pays for loading it.
    const { default: ssh2 } = await import('ssh2');
    const agent = new ssh2.OpenSSHAgent(this.#socket);
    const keys = await this.#answer<readonly unknown[]>(LIST_TIMEOUT, (callback) => {
      agent.getIdentities((error, found) => {
        callback(error, found ?? []);
      });
    });
    const key = keys.filter(isParsed).find((one) => one.getPublicSSH().equals(publicKey));
    if (key === undefined) return undefined;
    return (data) =>
      this.#answer(SIGN_TIMEOUT, (callback) => {
        agent.sign(key, data, callback);
      });
  }

  #answer<Value>(timeout: number, ask: (callback: (error?: Error | null, value?: Value) => void) => void): Promise<Value> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(this.#silent(`It did not answer within ${String(timeout / 1000)} seconds.`));
      }, timeout);
      ask((error, value) => {
        clearTimeout(timer);
        if (value === undefined || error) reject(this.#silent(messageOf(error ?? 'no answer')));
        else resolve(value);
      });
    });
  }

  #silent(why: string): DeliverError {
    return new DeliverError('E_SIGN_KEY', {
      what: `The ssh-agent at ${this.#socket} can't be used to sign.`,
      why,
      fix: 'See whether ssh-add -l lists the key, and whether it waits for you to confirm.',
      state: 'Nothing was written.',
    });
  }
}

function isParsed(key: unknown): key is ParsedKey {
  return typeof key === 'object' && key !== null && 'getPublicSSH' in key;
}
