import { connect, isIP, type OnReadOpts, type Socket } from 'node:net';
import { checkServerIdentity, connect as tlsConnect, type ConnectionOptions, type SecureContext } from 'node:tls';
import { trustedContext } from './trusted-context.ts';
import type { Destination } from './transfer-words.ts';

/** Building the list of CAs takes a while: once per CA and thread. */
const contexts = new Map<string | undefined, SecureContext>();

/** Where a connection for a URL goes. @param ca PEM, trusted besides the usual ones */
export function destinationOf({ protocol, hostname, port }: URL, ca: string | undefined): Destination {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (protocol !== 'https:') return { host, port: port === '' ? 80 : Number(port) };
  return { host, port: port === '' ? 443 : Number(port), secureName: host, ...(ca === undefined ? {} : { ca }) };
}

/** A connection that receives into memory of the caller. */
export function directConnect({ host, port, secureName, ca }: Destination, onread: OnReadOpts): Socket {
  if (secureName === undefined) return connect({ host, port, onread, noDelay: true });
  const secureContext = contexts.get(ca) ?? trustedContext(ca);
  contexts.set(ca, secureContext);
  // The types have not heard of onread here.
  const options: ConnectionOptions & { readonly onread: OnReadOpts } = {
    host,
    port,
    onread,
    secureContext,
    // RFC 6066: a server name is never an IP address.
    ...(isIP(secureName) === 0 ? { servername: secureName } : {}),
    ALPNProtocols: ['http/1.1'],
    checkServerIdentity: (_name, certificate) => checkServerIdentity(secureName, certificate),
  };
  return tlsConnect(options);
}
