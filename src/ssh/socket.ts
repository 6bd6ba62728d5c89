import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SiteHost } from '../manifest/site-schema.ts';
import { within } from './deadline.ts';
import { portOf, where } from './endpoint.ts';
import { noAnswer, unreachable } from './failure.ts';

/**
 * An open TCP connection to a host's SSH port.
 * @throws DeliverError E_SSH when it is refused, unreachable or not there within `timeout` milliseconds
 */
export async function openSocket(host: SiteHost, timeout: number, signal: AbortSignal): Promise<Duplex> {
  const socket = connect({ host: host.address, port: portOf(host), noDelay: true });
  try {
    return await within(connected(socket), {
      timeout,
      signal,
      what: where(host),
      onTimeout: () => noAnswer(host, timeout, 'connection'),
    });
  } catch (error) {
    socket.destroy();
    throw error;
  }

  function connected(opening: Socket): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const fail = (cause: Error): void => {
        reject(unreachable(host, cause));
      };
      opening.once('error', fail);
      opening.once('connect', () => {
        opening.off('error', fail);
        resolve(opening);
      });
    });
  }
}
