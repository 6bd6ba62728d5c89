import { connect } from 'node:net';
import { pipeline, type Duplex } from 'node:stream';
import type { Channel, TcpConnectionDetails } from 'ssh2';
import { DeliverError, messageOf } from '../core/errors.ts';
import type { SiteHost } from '../manifest/site-schema.ts';
import { within } from './deadline.ts';
import { where } from './endpoint.ts';
import type { HostListener } from './port.ts';
import type { Session } from './session.ts';

const LOOPBACK = '127.0.0.1';

/**
 * Listens on a port of the host's loopback that sshd there chooses; connections to it come through the session.
 * @throws DeliverError E_SSH
 */
export async function listenOn(
  { client }: Session,
  host: SiteHost,
  timeout: number,
  accept: (channel: Channel) => void,
): Promise<HostListener> {
  const open = new Set<Channel>();
  const opening = new Promise<number>((resolve, reject) => {
    client.forwardIn(LOOPBACK, 0, (error: Error | undefined, port: number) => {
      if (error === undefined) resolve(port);
      else reject(refused(host, messageOf(error), error));
    });
  });
  const port = await within(opening, {
    timeout,
    what: `a tunnel from ${host.name}`,
    onTimeout: () => refused(host, `no answer within ${String(timeout / 1000)} s`),
  });
  const onConnection = (details: TcpConnectionDetails, take: () => Channel): void => {
    // Every listener of this session is told of every connection.
    if (details.destPort !== port) return;
    const channel = take();
    open.add(channel);
    channel.once('close', () => open.delete(channel));
    accept(channel);
  };
  client.on('tcp connection', onConnection);
  return {
    port,
    close: async () => {
      client.off('tcp connection', onConnection);
      for (const channel of open) channel.destroy();
      // A session that has ended took its ports with it, and would never call back.
      await Promise.race([
        new Promise<void>((resolve) =>
          client.unforwardIn(LOOPBACK, port, () => {
            resolve();
          }),
        ),
        new Promise<void>((resolve) => client.once('close', resolve)),
        new Promise<void>((resolve) => setTimeout(resolve, timeout).unref()),
      ]).catch(() => undefined);
    },
  };
}

/** Both directions between a connection on the host and a server here; when one side breaks, so does the other. */
export function leadTo(to: { readonly address: string; readonly port: number }, stream: Duplex): void {
  const socket = connect({ host: to.address, port: to.port, noDelay: true });
  pipeline(stream, socket, stream, () => undefined);
}

function refused(host: SiteHost, why: string, cause?: unknown): DeliverError {
  return new DeliverError('E_SSH', {
    what: `No port on ${where(host)} can be led back here.`,
    why,
    fix: `Set AllowTcpForwarding yes (or remote) in the sshd_config of ${host.name}.`,
    ...(cause === undefined ? {} : { cause }),
  });
}
