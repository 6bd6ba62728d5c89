import { DeliverError } from '../core/errors.ts';

/**
 * `127.0.0.1:5000`, `[::1]:5000`, `:5000` (every address of the machine), `5000` (loopback).
 * @throws DeliverError E_USAGE
 */
export function parseListenAddress(text: string): { readonly host: string; readonly port: number } {
  const groups = /^(?:(?<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]*):)?(?<port>\d{1,5})$/.exec(text)?.groups;
  const port = Number(groups?.['port']);
  if (groups === undefined || port > 65_535) {
    throw new DeliverError('E_USAGE', {
      what: `“${text}” is not an address to listen on.`,
      fix: 'Write --listen HOST:PORT, for example 127.0.0.1:5000, or :5000 for every address of this machine.',
    });
  }
  const host = groups['host'];
  if (host === undefined) return { host: '127.0.0.1', port };
  return { host: host === '' ? '0.0.0.0' : host.replace(/^\[|\]$/g, ''), port };
}
