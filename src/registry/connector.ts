import { isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { checkServerIdentity, connect as tlsConnect, type ConnectionOptions } from 'node:tls';
import { buildConnector } from 'undici';
import { isDeliverError, messageOf } from '../core/errors.ts';
import type { Dial } from '../ssh/port.ts';
import { destinationOf } from './direct-connect.ts';
import type { RegistryOptions } from './options.ts';
import type { Destination } from './transfer-words.ts';
import { trustedContext } from './trusted-context.ts';

const CONNECT_TIMEOUT = 15_000;
const COMMON = { allowH2: false, timeout: CONNECT_TIMEOUT } as const;

type Trust = Pick<ConnectionOptions, 'secureContext'>;

/** TLS settings that trust Node's CAs, the machine's, and a private one if there is any. */
export function tlsTrust(ca: string | undefined): Trust {
  return { secureContext: trustedContext(ca) };
}

/** Building the list of CAs takes a while: once per registry, however many connectors it needs. */
const trusts = new WeakMap<RegistryOptions, Trust>();

function trustOf(options: RegistryOptions): Trust {
  const trust = trusts.get(options) ?? tlsTrust(options.ca);
  trusts.set(options, trust);
  return trust;
}

/**
 * How connections are made: directly, to another address than the name says, or through a `Dial`.
 * Whatever the way, TLS asks for and checks the name in the URL. HTTP/1.1 only: one blob per connection.
 */
export function connectorFor(options: RegistryOptions): buildConnector.connector {
  const { dial, address } = options;
  const registry = bare(new URL(`http://${options.host}`).hostname);
  const elsewhere = address === undefined ? undefined : new URL(`http://${address}`);
  const plain = buildConnector(COMMON);
  // Plain HTTP needs no CAs.
  let built: { trust: Trust; direct: buildConnector.connector; redirected: buildConnector.connector } | undefined;
  const connectors = (
    protocol: string,
  ): { trust: Trust; direct: buildConnector.connector; redirected: buildConnector.connector } => {
    if (protocol !== 'https:') return { trust: {}, direct: plain, redirected: plain };
    const trust = trustOf(options);
    built ??= {
      trust,
      direct: buildConnector({ ...COMMON, ...trust }),
      redirected: buildConnector({
        ...COMMON,
        ...trust,
        checkServerIdentity: (_name, peer) => checkServerIdentity(registry, peer),
      }),
    };
    return built;
  };
  return (wanted, callback) => {
    const { trust, direct, redirected } = connectors(wanted.protocol);
    const override = bare(wanted.hostname) === registry ? elsewhere : undefined;
    const hostname = bare(override?.hostname ?? wanted.hostname);
    const port = override === undefined || override.port === '' ? wanted.port : override.port;
    if (dial !== undefined) {
      dialled(dial, { ...wanted, port }, hostname, trust).then(
        (socket) => {
          callback(null, socket);
        },
        (error: unknown) => {
          callback(error instanceof Error ? error : new Error(messageOf(error)), null);
        },
      );
    } else if (override === undefined) {
      direct(wanted, callback);
    } else {
      redirected({ ...wanted, hostname, port, ...serverName(wanted.hostname) }, callback);
    }
  };
}

/** Where a connection for a URL goes, for threads that make their own; not possible through a `Dial`. */
export function registryDestination({ host, address, ca }: RegistryOptions, url: URL): Destination {
  const registry = bare(new URL(`http://${host}`).hostname);
  const direct = destinationOf(url, ca);
  if (address === undefined || direct.host !== registry) return direct;
  const { hostname, port } = new URL(`http://${address}`);
  return { ...direct, host: bare(hostname), ...(port === '' ? {} : { port: Number(port) }) };
}

async function dialled(dial: Dial, wanted: buildConnector.Options, address: string, trust: Trust): Promise<Socket> {
  const secure = wanted.protocol === 'https:';
  const port = Number(wanted.port === '' ? (secure ? 443 : 80) : wanted.port);
  const stream = await dial(address, port).catch((error: unknown) => {
    throw asNetworkError(error);
  });
  if (!secure) {
    if (usableAsSocket(stream)) return stream;
    throw Object.assign(new Error(`the connection to ${address} closed at once`), { code: 'ECONNRESET' });
  }
  const name = bare(wanted.hostname);
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({
      ...trust,
      socket: stream,
      host: name,
      ...serverName(name),
      ALPNProtocols: ['http/1.1'],
      checkServerIdentity: (_name, certificate) => checkServerIdentity(name, certificate),
    });
    const timer = setTimeout(() => {
      socket.destroy(
        Object.assign(new Error(`no TLS handshake with ${name} within ${String(CONNECT_TIMEOUT / 1000)} s`), {
          code: 'ETIMEDOUT',
        }),
      );
    }, CONNECT_TIMEOUT);
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      socket.removeListener('error', reject);
      resolve(socket);
    });
    socket.once('error', (error: Error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

/** undici treats what a socket has beyond an open Duplex (ref, unref) as optional. */
function usableAsSocket(stream: Duplex): stream is Socket {
  return !stream.destroyed;
}

/** RFC 6066: a server name is never an IP address. */
function serverName(hostname: string): { servername?: string } {
  return isIP(bare(hostname)) === 0 ? { servername: hostname } : {};
}

function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

/** A tunnel that can't reach the registry is the registry not answering: tried again and reported as such. */
function asNetworkError(error: unknown): unknown {
  if (!isDeliverError(error, 'E_SSH')) return error;
  const { what, why } = error.facts;
  const message = why === undefined ? what : `${what.replace(/\.$/, '')}: ${why}`;
  return Object.assign(new Error(message, { cause: error }), { code: 'ECONNREFUSED' });
}
