import { readFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import { DeliverError, isDeliverError, messageOf, systemCode } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';
import type { SiteHost } from '../manifest/site-schema.ts';
import { SshConnection } from './connection.ts';
import { credentialsOf } from './credentials.ts';
import { within } from './deadline.ts';
import { portOf } from './endpoint.ts';
import { noAnswer, unreachable } from './failure.ts';
import { hostKeyPolicy } from './host-key.ts';
import { parseKnownHosts } from './known-hosts.ts';
import type { HostConnection, HostConnector } from './port.ts';
import { openSession, type Session } from './session.ts';
import { openSocket } from './socket.ts';

export interface ConnectorOptions {
  readonly hosts: readonly SiteHost[];
  /** Folder of the site file: key paths are relative to it. */
  readonly folder: string;
  /** Absolute; a file that is not there is an empty one. */
  readonly knownHostsPath: string;
  /** Resolves a variable as the site file has it, `${secret.name}`. @throws DeliverError E_SECRET_MISSING */
  readonly secrets: (variable: string) => Secret;
  /** $SSH_AUTH_SOCK */
  readonly agentSocket?: string | undefined;
  /** Milliseconds until a connection (10 000) and a login (30 000: sshd asks dead name servers first) are given up. */
  readonly limits?: { readonly dial?: number; readonly login?: number };
}

interface Open {
  readonly connection: SshConnection;
  readonly session: Session;
}

/** Opens connections over SSH: each host once, at the first use, through its bastions; again after a connection broke. */
export function createConnector(options: ConnectorOptions): HostConnector {
  const { hosts, folder, knownHostsPath, secrets, agentSocket, limits } = options;
  const dialTimeout = limits?.dial ?? 10_000;
  const loginTimeout = limits?.login ?? 30_000;
  const open = new Map<string, Promise<Open>>();
  let knownHosts: ReturnType<typeof readKnownHosts> | undefined;
  const closing = new AbortController();

  return { connect, close };

  async function connect(name: string, signal?: AbortSignal): Promise<HostConnection> {
    const { connection } = await within(openOnce(name), {
      // Each bastion on the way has its own limits; this only ends what has none.
      timeout: (hosts.length + 1) * (dialTimeout + loginTimeout),
      signal,
      what: `the connection to ${name}`,
      onTimeout: () => unreachable(hostNamed(name), new Error('it takes too long')),
    });
    return connection;
  }

  function openOnce(name: string): Promise<Open> {
    const known = open.get(name);
    if (known !== undefined) return known;
    const opening = openHost(hostNamed(name));
    const forget = (): void => {
      if (open.get(name) === opening) open.delete(name);
    };
    open.set(name, opening);
    opening.then(({ session }) => {
      session.client.once('close', forget);
      if (!session.ssh.isConnected()) forget();
    }, forget);
    return opening;
  }

  async function openHost(host: SiteHost): Promise<Open> {
    knownHosts ??= readKnownHosts(knownHostsPath);
    const policy = hostKeyPolicy(host, await knownHosts, knownHostsPath);
    const credentials = await credentialsOf(host, { folder, secrets, agentSocket });
    const sudoVariable = host.sudoPassword ?? host.password;
    const sudoPassword = host.sudo === true && sudoVariable !== undefined ? secrets(sudoVariable) : undefined;
    const stream = await streamTo(host);
    const session = await openSession(host, stream, { policy, credentials, timeout: loginTimeout, signal: closing.signal });
    return { connection: new SshConnection(host, session, sudoPassword, dialTimeout), session };
  }

  async function streamTo(host: SiteHost): Promise<Duplex> {
    if (host.via === undefined) return openSocket(host, dialTimeout, closing.signal);
    const { connection } = await openOnce(host.via);
    const dialing = connection.dial(host.address, portOf(host)).catch((error: unknown) => {
      throw isDeliverError(error, 'E_SSH') ? unreachable(host, new Error(error.facts.why, { cause: error.facts.cause })) : error;
    });
    return within(dialing, {
      timeout: dialTimeout + 1000,
      signal: closing.signal,
      what: `${host.name} via ${host.via}`,
      onTimeout: () => noAnswer(host, dialTimeout, 'connection'),
    });
  }

  function hostNamed(name: string): SiteHost {
    const host = hosts.find((candidate) => candidate.name === name);
    if (host !== undefined) return host;
    throw new DeliverError('E_BUG', { what: `The site has no host “${name}”.` });
  }

  async function close(): Promise<void> {
    closing.abort();
    const all = await Promise.allSettled([...open.values()]);
    open.clear();
    // What was opened last may run through what was opened first.
    for (const result of all.toReversed()) if (result.status === 'fulfilled') await end(result.value.session);
  }
}

/** Ends a session in an orderly way, and after a second in any way. */
async function end({ ssh, client }: Session): Promise<void> {
  if (!ssh.isConnected()) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      client.destroy();
      resolve();
    }, 1000);
    client.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    ssh.dispose();
  });
}

async function readKnownHosts(path: string): Promise<ReturnType<typeof parseKnownHosts>> {
  try {
    return parseKnownHosts(await readFile(path, 'utf8'));
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return [];
    throw new DeliverError('E_FILE_UNREADABLE', {
      what: `The known_hosts file ${path} can’t be read.`,
      why: messageOf(cause),
      cause,
    });
  }
}
