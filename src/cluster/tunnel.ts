import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { buildConnector } from 'undici';
import { messageOf } from '../core/errors.ts';
import type { Dial } from '../ssh/port.ts';
import type { KubeEndpoint } from './kubeconfig.ts';
import { pause } from './pause.ts';

const HANDSHAKE_TIMEOUT = 10_000;
/** Through bastions, each of which may be slow to let one in. */
const DIAL_TIMEOUT = 40_000;

/** Connections for undici over streams that `dial` opens; names and certificates stay those of the API server. */
export function tunnelConnector(endpoint: KubeEndpoint, dial: Dial): buildConnector.connector {
  return ({ hostname, port }, callback) => {
    const host = hostname.replace(/^\[|\]$/g, '');
    openTunnel(endpoint, dial, host, Number(port === '' ? 443 : port)).then(
      (socket) => {
        callback(null, socket);
      },
      (error: unknown) => {
        callback(error instanceof Error ? error : new Error(messageOf(error)), null);
      },
    );
  };
}

async function openTunnel(endpoint: KubeEndpoint, dial: Dial, host: string, port: number): Promise<TLSSocket> {
  let late = false;
  const dialled = dial(host, port).then((stream) => {
    if (late) stream.destroy();
    return stream;
  });
  const timer = new AbortController();
  const tooLate = pause(DIAL_TIMEOUT, timer.signal).then(() => {
    late = true;
    throw Object.assign(new Error(`The tunnel to ${host}:${String(port)} did not open in time.`), { code: 'ETIMEDOUT' });
  });
  tooLate.catch(() => undefined);
  try {
    return await wrap(endpoint, await Promise.race([dialled, tooLate]), host);
  } finally {
    timer.abort();
  }
}

/** TLS over any stream, for the name that the certificate was made for. */
function wrap(endpoint: KubeEndpoint, stream: Duplex, host: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const servername = endpoint.tls.servername ?? (isIP(host) === 0 ? host : undefined);
    const socket = connectTls({
      ...endpoint.tls,
      socket: stream,
      host,
      ALPNProtocols: ['http/1.1'],
      ...(servername === undefined ? {} : { servername }),
    });
    const timer = setTimeout(() => {
      socket.destroy(Object.assign(new Error('The TLS handshake took too long.'), { code: 'ETIMEDOUT' }));
    }, HANDSHAKE_TIMEOUT);
    const settle = (): void => {
      clearTimeout(timer);
      socket.removeListener('error', fail);
      socket.removeListener('close', closed);
    };
    const fail = (error: Error): void => {
      settle();
      // A second error of a socket that is given up must not end the process.
      socket.on('error', () => undefined);
      stream.destroy();
      reject(error);
    };
    // A channel whose far side refused may end without an error of its own.
    const closed = (): void => {
      fail(Object.assign(new Error('The tunnel was closed.'), { code: 'ECONNRESET' }));
    };
    socket.once('error', fail);
    socket.once('close', closed);
    socket.once('secureConnect', () => {
      settle();
      resolve(socket);
    });
  });
}
