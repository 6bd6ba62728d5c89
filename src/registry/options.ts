import type { RetryPolicy } from '../core/retried.ts';
import type { Dial } from '../ssh/port.ts';
import type { RegistryAccount } from './port.ts';

/** Looks an account up when a registry first asks for one. */
export type AccountLookup = () => Promise<RegistryAccount | undefined>;

export interface RegistryOptions {
  /** `host` or `host:port`, as in references. */
  readonly host: string;
  /** `source`: errors are E_SOURCE*; `site`: they are E_REGISTRY*. */
  readonly role: 'source' | 'site';
  /** Absent: only loopback hosts are plain HTTP, as docker does. */
  readonly plainHttp?: boolean;
  /** PEM of a private CA, trusted besides the usual ones. */
  readonly ca?: string;
  readonly account?: RegistryAccount | AccountLookup;
  /** Opens every connection, for example through SSH. TLS still checks the host's own name. */
  readonly dial?: Dial;
  /** `address` or `address:port` to connect to instead of resolving the name. */
  readonly address?: string;
  /** Where HTTP_PROXY, HTTPS_PROXY and NO_PROXY are looked up; absent: no proxy is used. */
  readonly proxyEnv?: Readonly<Record<string, string | undefined>>;
  readonly retry?: RetryPolicy;
}
