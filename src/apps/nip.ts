import { isIPv4, isIPv6 } from 'node:net';
import type { App } from '../manifest/app-schema.ts';
import { appError } from './app-error.ts';

const OCTET = '(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
const DASHED = new RegExp(`(?:^|[.-])(${OCTET}(?:-${OCTET}){3})(?=$|[.-])`);
const DOTTED = new RegExp(`(?:^|[.-])(${OCTET}(?:\\.${OCTET}){3})(?=$|[.-])`);

/**
 * `<app>.<namespace>.<ip>.<domain>`: a name that a nip.io server answers with the address in it.
 * @throws DeliverError E_SCHEMA when the server would read another address out of the name (app `web-1` and the like)
 */
export function nipHost(app: App, address: string, domain: string): string {
  const written = isIPv6(address) ? address.replaceAll(':', '-') : address;
  const host = `${app.name}.${app.namespace}.${written}.${domain}`;
  if (!isIPv4(address)) return host;
  const read = readByNip(host);
  if (read === address) return host;
  throw appError(
    app,
    `${domain} would answer ${host} with ${read ?? 'nothing'}, not with ${address}.`,
    'Give the ingress a host name of its own, or the app a name without numbers between dashes.',
  );
}

/** What sslip.io's algorithm, which nip.io runs too, reads: dashes before dots, the leftmost match. */
function readByNip(host: string): string | undefined {
  return (DASHED.exec(host)?.[1] ?? DOTTED.exec(host)?.[1])?.replaceAll('-', '.');
}
