import { homedir } from 'node:os';
import { join } from 'node:path';
import envPaths from 'env-paths';
import { loadTrustPolicy, type TrustPolicy } from '../bundle/load-trusted-keys.ts';
import { openBundle } from '../bundle/open-bundle.ts';
import { createClusterApi } from '../cluster/kube-client.ts';
import type { ClusterApi } from '../cluster/port.ts';
import { DeliverError, isDeliverError } from '../core/errors.ts';
import type { Flow } from '../core/report.ts';
import { installFlow } from '../flows/install.ts';
import { planFlow } from '../flows/plan.ts';
import type { InstallResult, PlanResult, StatusResult } from '../flows/plan-types.ts';
import type { SitePorts, SiteRegistryAccess } from '../flows/site-ports.ts';
import { statusFlow } from '../flows/status.ts';
import { loadSite, type LoadedSite } from '../manifest/load-site.ts';
import { readText } from '../manifest/read-text.ts';
import { secretNameOf, secretsOf, type SecretStore } from '../manifest/secrets.ts';
import { trustOf } from '../manifest/site-schema.ts';
import { sitePath } from '../manifest/site-path.ts';
import { createRegistry } from '../registry/registry.ts';
import type { RegistryOptions } from '../registry/options.ts';
import { openSiteRegistry, type SiteRegistryConnection } from '../registry/site-registry.ts';
import { createConnector } from '../ssh/connector.ts';
import { dialer } from '../ssh/dialer.ts';
import type { HostConnector } from '../ssh/port.ts';

// Where adapters meet flows, for the verbs that work on a site. Imported only when a command runs.

export interface SiteVerb {
  readonly bundle: string;
  readonly site: string;
  readonly allowUnsigned: boolean;
}

export async function composePlan(verb: SiteVerb): Promise<Flow<PlanResult>> {
  return planFlow({ bundlePath: verb.bundle, allowUnsigned: verb.allowUnsigned }, await composeSite(verb.site));
}

export async function composeInstall(verb: SiteVerb): Promise<Flow<InstallResult>> {
  return installFlow({ bundlePath: verb.bundle, allowUnsigned: verb.allowUnsigned }, await composeSite(verb.site));
}

export async function composeStatus({ site }: { readonly site: string }): Promise<Flow<StatusResult>> {
  return statusFlow(await composeSite(site));
}

/** @throws DeliverError for whatever is wrong with the site file, its keys or its secrets file */
export async function composeSite(path: string): Promise<SitePorts> {
  const loaded = await loadSite(path);
  const { site, folder } = loaded;
  const secrets = await secretsOf(site, folder, process.env);
  const hosts = createConnector({
    hosts: site.hosts ?? [],
    folder,
    knownHostsPath: site.knownHosts === undefined ? join(homedir(), '.ssh/known_hosts') : sitePath(folder, site.knownHosts),
    secrets: (variable) => secrets.get(secretNameOf(variable)),
    agentSocket: process.env['SSH_AUTH_SOCK'],
  });
  const caPath = site.registry?.ca;
  const ca = caPath === undefined ? undefined : await readText(sitePath(folder, caPath), 'The registry’s certificate authority');
  const registry = new Once(() => openRegistry(loaded, secrets, hosts, ca));
  const cluster = new Once(() => openCluster(loaded, hosts));
  return {
    loaded,
    secrets,
    hosts,
    ...(ca === undefined ? {} : { ca }),
    trusted: await sitePolicy(loaded),
    stateFolder: envPaths('deliver', { suffix: '' }).log,
    openBundle,
    registry: async () => (await registry.get()).access,
    cluster: () => cluster.get(),
    close: async () => {
      await (await registry.opened())?.connection.close();
      await (await cluster.opened())?.close();
      await hosts.close();
    },
  };
}

/** @throws DeliverError E_FILE_NOT_FOUND, E_FILE_UNREADABLE, E_SCHEMA, E_NOT_YET */
function sitePolicy({ site, folder }: LoadedSite): Promise<TrustPolicy> {
  const { keys, threshold } = trustOf(site);
  return loadTrustPolicy(keys, threshold, (file) => sitePath(folder, file));
}

/** A thing that is made at first use, and again after a failure. */
class Once<Value> {
  readonly #make: () => Promise<Value>;
  #made: Promise<Value> | undefined;

  constructor(make: () => Promise<Value>) {
    this.#make = make;
  }

  async get(): Promise<Value> {
    this.#made ??= this.#make();
    try {
      return await this.#made;
    } catch (error) {
      this.#made = undefined;
      throw error;
    }
  }

  async opened(): Promise<Value | undefined> {
    return this.#made?.catch(() => undefined);
  }
}

interface OpenedRegistry {
  readonly connection: SiteRegistryConnection;
  readonly access: SiteRegistryAccess;
}

async function openRegistry(
  { site }: LoadedSite,
  secrets: SecretStore,
  hosts: HostConnector,
  ca: string | undefined,
): Promise<OpenedRegistry> {
  const { registry } = site;
  if (registry === undefined)
    throw new DeliverError('E_NOT_YET', { what: 'The site file names no registry.', fix: 'Add registry: to the site file.' });
  const { host, address, plainHttp, via, username, password } = registry;
  const options: Omit<RegistryOptions, 'role'> = {
    host,
    ...(address === undefined ? {} : { address }),
    ...(plainHttp === undefined ? {} : { plainHttp }),
    ...(ca === undefined ? {} : { ca }),
    ...(via === undefined ? {} : { dial: dialer(hosts, via) }),
  };
  const account =
    username === undefined || password === undefined
      ? undefined
      : { username, password: secrets.get(secretNameOf(password)).reveal() };
  const connection = await openSiteRegistry(
    { ...options, ...(account === undefined ? {} : { account }) },
    registry.type ?? 'auto',
  );
  const { writer, harbor, version } = connection;
  return {
    connection,
    access: {
      writer,
      ...(harbor === undefined ? {} : { harbor }),
      ...(version === undefined ? {} : { version }),
      accepts: async (candidate, repository, signal) => {
        const other = createRegistry({ ...options, role: 'site', account: candidate });
        try {
          await other.headManifest(repository, 'deliver-login-check', signal);
          return true;
        } catch (error) {
          if (isDeliverError(error, 'E_REGISTRY_AUTH')) return false;
          throw error;
        } finally {
          await other.close();
        }
      },
    },
  };
}

const ADMIN_CONF = '/etc/kubernetes/admin.conf';

/** The kubeconfig of the site file, else the one that kubeadm left on a control plane host. */
async function openCluster({ site, folder }: LoadedSite, hosts: HostConnector): Promise<ClusterApi> {
  const { kubeconfig, context, via } = site.cluster ?? {};
  const from = site.cluster?.from ?? site.roles?.['control-plane']?.[0];
  const more = { ...(context === undefined ? {} : { context }), ...(via === undefined ? {} : { dial: dialer(hosts, via) }) };
  if (kubeconfig !== undefined) {
    return createClusterApi({ kubeconfig: await readText(sitePath(folder, kubeconfig), 'The kubeconfig'), folder, ...more });
  }
  if (from === undefined) {
    throw new DeliverError('E_NOT_YET', {
      what: `The file of site ${site.metadata.name} names no cluster, and deliver can’t install one yet.`,
      fix: 'Add cluster: { kubeconfig: ./admin.conf } or cluster: { from: <host> } to the site file.',
    });
  }
  const bytes = await (await hosts.connect(from)).readFile(ADMIN_CONF);
  if (bytes !== undefined) return createClusterApi({ kubeconfig: Buffer.from(bytes).toString(), ...more });
  throw new DeliverError('E_KUBECONFIG', {
    what: `${from} has no ${ADMIN_CONF}.`,
    fix: 'Name a control plane host as cluster.from, or give a kubeconfig as cluster.kubeconfig.',
  });
}
