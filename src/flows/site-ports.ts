import type { Bundle } from '../bundle/bundle.ts';
import type { TrustPolicy } from '../bundle/signature/load-trusted-keys.ts';
import type { ClusterApi } from '../cluster/port.ts';
import type { LoadedSite } from '../manifest/load-site.ts';
import type { SecretStore } from '../manifest/secrets.ts';
import type { SiteRegistryConnection } from '../registry/port.ts';
import type { HttpListener } from '../serve/port.ts';
import type { HostConnector } from '../ssh/port.ts';

/** The site's registry, opened with the site's account. */
export type SiteRegistryAccess = Omit<SiteRegistryConnection, 'close'>;

/** Everything that plan, install and status reach on a site; connections are made at first use. */
export interface SitePorts {
  readonly loaded: LoadedSite;
  readonly secrets: SecretStore;
  readonly hosts: HostConnector;
  /** For a site without a registry: what the nodes pull from. */
  readonly http: HttpListener;
  /** Whose signatures count, and how many: the site file's `trust:`. */
  readonly trusted: TrustPolicy;
  /** PEM of the private CA that nodes must trust for the registry. */
  readonly ca?: string;
  /** Folder of this user for journals. */
  readonly stateFolder: string;
  openBundle(path: string): Promise<Bundle>;
  /** @throws DeliverError E_REGISTRY*, E_HARBOR; not remembered, so a later call tries again */
  registry(): Promise<SiteRegistryAccess>;
  /** @throws DeliverError E_KUBECONFIG, E_SCHEMA */
  cluster(): Promise<ClusterApi>;
  /** Ends every connection; safe to call twice. */
  close(): Promise<void>;
}
