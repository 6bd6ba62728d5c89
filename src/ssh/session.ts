import type { Duplex } from 'node:stream';
import { NodeSSH } from 'node-ssh';
import type { Client } from 'ssh2';
import { DeliverError } from '../core/errors.ts';
import type { SiteHost } from '../manifest/site-schema.ts';
import { ChannelGate } from './channel-gate.ts';
import { within } from './deadline.ts';
import type { Credentials } from './credentials.ts';
import { portOf, userOf, where } from './endpoint.ts';
import { noAnswer, notLoggedIn } from './failure.ts';
import type { HostKeyPolicy } from './host-key.ts';
import { createLogin } from './login.ts';

const KEEPALIVE = { keepaliveInterval: 10_000, keepaliveCountMax: 3 } as const;

/** A logged-in SSH session. */
export interface Session {
  readonly ssh: NodeSSH;
  readonly client: Client;
  readonly channels: ChannelGate;
}

export interface SessionOptions {
  readonly policy: HostKeyPolicy;
  readonly credentials: Credentials;
  /** Milliseconds for handshake and login together. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/**
 * Shakes hands over an open stream, checks the host key, logs in.
 * @throws DeliverError E_HOST_KEY, E_SSH_AUTH, E_SSH
 */
export async function openSession(
  host: SiteHost,
  stream: Duplex,
  { policy, credentials, timeout, signal }: SessionOptions,
): Promise<Session> {
  const ssh = new NodeSSH();
  const login = createLogin(host, credentials);
  let refusal: DeliverError | undefined;
  let expired: DeliverError | undefined;
  const connecting = ssh.connect({
    host: host.address,
    port: portOf(host),
    username: userOf(host),
    sock: stream,
    readyTimeout: 0,
    algorithms: { serverHostKey: policy.algorithms },
    hostVerifier: (key: Buffer) => {
      refusal = policy.refusal(key);
      return refusal === undefined;
    },
    authHandler: (left) => login.next(left),
    ...KEEPALIVE,
  });
  const client = ssh.connection;
  // Stays for good: node-ssh takes its own listener away, and an 'error' without a listener ends the process.
  client?.on('error', () => undefined);
  client?.on('change password', () => {
    expired = passwordExpired(host);
    client.end();
  });
  try {
    await within(connecting, {
      timeout,
      signal,
      what: `the login on ${host.name}`,
      onTimeout: () => noAnswer(host, timeout, 'handshake'),
    });
    if (client === null) throw new DeliverError('E_BUG', { what: 'node-ssh made no connection.' });
    return { ssh, client, channels: new ChannelGate() };
  } catch (cause) {
    ssh.dispose();
    stream.destroy();
    if (refusal !== undefined) throw refusal;
    if (expired !== undefined) throw expired;
    throw cause instanceof DeliverError ? cause : notLoggedIn(host, credentials, login, cause);
  }
}

function passwordExpired(host: SiteHost): DeliverError {
  return new DeliverError('E_SSH_AUTH', {
    what: `${where(host)} does not let ${userOf(host)} in: the password has expired.`,
    fix: `Log in as ${userOf(host)} by hand, set a new one, and update the secret.`,
  });
}
