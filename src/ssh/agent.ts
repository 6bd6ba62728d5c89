import ssh2, { type IdentityCallback, type ParsedKey, type SignCallback, type SigningRequestOptions } from 'ssh2';
import { messageOf } from '../core/errors.ts';

const AGENT_TIMEOUT = 3000;

/** An agent that was asked already: its keys, or why they can't be had. */
export type AgentState = { readonly agent: ssh2.BaseAgent<ParsedKey>; readonly keys: number } | { readonly problem: string };

/** Offers the first keys of a real agent: sshd hangs up after a handful of wrong ones (MaxAuthTries 6) before a password is tried. */
class FirstKeys extends ssh2.BaseAgent<ParsedKey> {
  readonly #agent: ssh2.OpenSSHAgent;
  readonly #keys: readonly ParsedKey[];

  constructor(agent: ssh2.OpenSSHAgent, keys: readonly ParsedKey[]) {
    super();
    this.#agent = agent;
    this.#keys = keys;
  }

  override getIdentities(callback: IdentityCallback<ParsedKey>): void {
    callback(undefined, [...this.#keys]);
  }

  override sign(key: ParsedKey, data: Buffer, options: SigningRequestOptions | SignCallback, callback?: SignCallback): void {
    if (typeof options === 'function') this.#agent.sign(key, data, options);
    else this.#agent.sign(key, data, options, callback);
  }
}

/** Asks the agent at a socket for its keys, so that a dead agent is a reason in a message instead of a failed login. */
export async function askAgent(socket: string, limit: number): Promise<AgentState> {
  const agent = new ssh2.OpenSSHAgent(socket);
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve({ problem: `the agent at ${socket} does not answer` });
    }, AGENT_TIMEOUT);
    agent.getIdentities((error, keys) => {
      clearTimeout(timer);
      if (error) {
        resolve({ problem: `the agent at ${socket}: ${messageOf(error)}` });
        return;
      }
      const parsed = (keys ?? []).filter((key): key is ParsedKey => 'getPublicSSH' in key).slice(0, limit);
      if (parsed.length === 0) resolve({ problem: `the agent at ${socket} holds no key` });
      else resolve({ agent: new FirstKeys(agent, parsed), keys: parsed.length });
    });
  });
}
