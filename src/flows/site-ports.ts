import type { Bundle } from '../bundle/bundle.ts';
import type { TrustPolicy } from '../bundle/load-trusted-keys.ts';
import type { ClusterApi } from '../cluster/port.ts';
import type { LoadedSite } from '../manifest/load-site.ts';
import type { SecretStore } from '../manifest/secrets.ts';
import type { HarborApi, RegistryAccount, RegistryWriter } from '../registry/port.ts';
import type { HostConnector } from '../ssh/port.ts';

/** The site's registry, opened with the site's account. */
export interface SiteRegistryAccess {
  readonly writer: RegistryWriter;
  /** Absent when it is not a Harbor. */
  readonly harbor?: HarborApi;
  /** Harbor's version. */
  readonly version?: string;
  /** True when this account may read that repository; asked of the registry now. */
  accepts(account: RegistryAccount, repository: string, signal?: AbortSignal): Promise<boolean>;
}

/** Everything that plan, install and status reach on a site; connections are made at first use. */
export interface SitePorts {
  readonly loaded: LoadedSite;
  readonly secrets: SecretStore;
  readonly hosts: HostConnector;
  /** Whose signatures count, and how many: the site file's `trust:`. */
  readonly trusted: TrustPolicy;
  /** PEM of the private CA that nodes must trust for the registry. */
  readonly ca?: string;
  /** Folder of this user for journals. */
  readonly stateFolder: string;
  openBundle(path: string): Promise<Bundle>;
  /** @throws DeliverError E_REGISTRY*, E_HARBOR; not remembered, so a later call tries again */
  registry(): Promise<SiteRegistryAccess>;
  /** @throws DeliverError E_KUBECONFIG, E_NOT_YET */
  cluster(): Promise<ClusterApi>;
  /** Ends every connection; safe to call twice. */
  close(): Promise<void>;
}
