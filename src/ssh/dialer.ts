import type { Dial, HostConnector } from './port.ts';

/** Dials as seen from a host of the site; connects to that host when needed, again after its connection broke. */
export function dialer(connector: HostConnector, hostName: string): Dial {
  return async (address, port) => {
    const connection = await connector.connect(hostName);
    return connection.dial(address, port);
  };
}
