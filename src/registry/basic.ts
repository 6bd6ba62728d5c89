import { Secret } from '../core/secret.ts';
import type { RegistryAccount } from './port.ts';

/** Value of an Authorization header (RFC 7617). */
export function basicHeader(account: RegistryAccount): string {
  const pair = Buffer.from(`${account.username}:${account.password}`, 'utf8').toString('base64');
  // So that neither form of the password gets into a message.
  new Secret(account.password);
  new Secret(pair);
  return `Basic ${pair}`;
}
