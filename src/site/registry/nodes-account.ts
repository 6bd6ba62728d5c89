import { scryptSync } from 'node:crypto';
import { Secret } from '../../core/secret.ts';
import type { Account } from './accounts.ts';

/** Its name. */
export const NODES_ACCOUNT = 'deliver-nodes';

/**
 * The account that nodes show to a plain registry of ours, so that the site's own password is on none of them. It follows from
 * that password one way only (scrypt, RFC 7914), and is the same in every run: nothing has to be kept.
 * @param registry its host name
 */
export function nodesAccount({ username, password }: Account, registry: string): Account {
  if (username === NODES_ACCOUNT) return { username, password };
  const derived = scryptSync(password.reveal(), `${NODES_ACCOUNT} ${registry}`, 24);
  return { username: NODES_ACCOUNT, password: new Secret(derived.toString('base64url')) };
}
