import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { openAccessLog } from './access-log.ts';
import type { AccessEntry } from './access-log.ts';
import { withDefaults } from './config.ts';
import type { HarborConfig } from './config.ts';
import { isoTime } from './context.ts';
import type { Harbor } from './context.ts';
import { frontFor } from './front.ts';
import { openLogins } from './logins.ts';
import { openPort } from './port.ts';
import { openStore } from './store.ts';
import { openTokenAuthority } from './tokens.ts';
import { openUpstream } from './upstream.ts';

export interface RunningHarbor {
  url: string;
  /** Every request so far; stays empty when they go to an access log file. */
  requests: readonly AccessEntry[];
  /** For tests that look behind or change what the API can't. */
  harbor: Harbor;
  close(): Promise<void>;
}

/**
 * A test double of Harbor's core, as observed in facts/harbor-observed.md, before a registry that stores the bytes.
 * Replication and preheat policies are kept and listed, and their executions end at once without moving anything.
 * Not emulated: members, labels, retention, scanners, webhooks, artifact copy and additions,
 * extra_attrs, OIDC and LDAP logins, session logins, garbage collection. A call to any of them is 404, never a false success.
 */
export async function startHarbor(given: HarborConfig, now: () => number = Date.now): Promise<RunningHarbor> {
  const config = withDefaults(given);
  const store = openStore(config.stateFile, isoTime(now()), config.tokenExpirationMinutes);
  const harbor: Harbor = {
    config,
    state: store.data,
    store,
    tokens: await openTokenAuthority(config.stateFile === null ? null : `${config.stateFile}.key.pem`, config.tokenLeewaySeconds),
    logins: openLogins(config, store.data, now),
    upstream: openUpstream(config.upstream),
    sessions: new Map(),
    reserved: new Map(),
    now,
  };
  await store.commit();
  const log = openAccessLog(config.accessLog);
  const port = openPort(config.tls, frontFor(harbor, log));
  port.server.listen(config.listen.port, config.listen.host);
  await once(port.server, 'listening');
  const address = port.server.address() as AddressInfo;
  const url = `${config.tls === null ? 'http' : 'https'}://${config.listen.host}:${String(address.port)}`;
  if (config.externalUrl === '') config.externalUrl = url;
  return {
    url,
    requests: log.entries,
    harbor,
    close: async () => {
      await port.close();
      harbor.upstream.close();
      await store.commit();
      log.close();
    },
  };
}
