import { homedir } from 'node:os';
import { join } from 'node:path';
import envPaths from 'env-paths';
import { loadTrustPolicy, type TrustPolicy } from '../bundle/signature/load-trusted-keys.ts';
import { openBundle } from '../bundle/open-bundle.ts';
import { createClusterApi } from '../cluster/kube-client.ts';
import type { ClusterApi } from '../cluster/port.ts';
import { DeliverError, isDeliverError } from '../core/errors.ts';
import type { Flow, LanedFlow } from '../core/report.ts';
import type { RetryPolicy } from '../core/retried.ts';
import { doctorFlow, type DoctorResult } from '../flows/doctor.ts';
import { installFlow } from '../flows/install.ts';
import { planFlow } from '../flows/plan.ts';
import { siteCa } from '../flows/install/site-ca.ts';
import type { InstallResult, PlanResult, StatusResult } from '../flows/plan/types.ts';
import type { SitePorts } from '../flows/site-ports.ts';
import { statusFlow } from '../flows/status.ts';
import { supportFlow, type SupportResult } from '../flows/support.ts';
import { loadSite, type LoadedSite } from '../manifest/load-site.ts';
import { readText } from '../manifest/read-text.ts';
import { secretNameOf, secretsOf, type SecretStore } from '../manifest/secrets.ts';
import { trustOf } from '../manifest/site-schema.ts';
import { registryType, registryWay } from '../site/registry/way.ts';
import { sitePath } from '../manifest/site-path.ts';
import type { RegistryOptions } from '../registry/options.ts';
import type { SiteRegistryConnection } from '../registry/port.ts';
import { openSiteRegistry } from '../registry/site-registry.ts';
import { httpListener } from '../serve/http-listener.ts';
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

export async function composeInstall(verb: SiteVerb): Promise<LanedFlow<InstallResult>> {
  return installFlow({ bundlePath: verb.bundle, allowUnsigned: verb.allowUnsigned }, await composeSite(verb.site));
}

/** Without a bundle: only what is true of any release. */
export async function composeDoctor(verb: {
  readonly site: string;
  readonly bundle: string | undefined;
  readonly allowUnsigned: boolean;
}): Promise<Flow<DoctorResult>> {
  const release = verb.bundle === undefined ? undefined : { bundlePath: verb.bundle, allowUnsigned: verb.allowUnsigned };
  return doctorFlow(release, await composeSite(verb.site));
}

export async function composeStatus({ site }: { readonly site: string }): Promise<Flow<StatusResult>> {
  return statusFlow(await composeSite(site));
}

export async function composeSupport(verb: {
  readonly site: string;
  readonly output?: string | undefined;
  readonly hours: number;
}): Promise<Flow<SupportResult>> {
  const { site, output, hours } = verb;
  return supportFlow({ hours, ...(output === undefined ? {} : { output }) }, await composeSite(site));
}

/**
 * @param leaving a host that is about to leave the site: the cluster is asked through another one, if there is one
 * @throws DeliverError for whatever is wrong with the site file, its keys or its secrets file
 */
export async function composeSite(path: string, leaving?: string): Promise<SitePorts> {
  const loaded = await loadSite(path);
  const { site, folder } = loaded;
  const secrets = await secretsOf(site, folder, process.env, loaded.inlineSecrets);
  const hosts = createConnector({
    hosts: site.hosts ?? [],
    folder,
    knownHostsPath: site.knownHosts === undefined ? join(homedir(), '.ssh/known_hosts') : sitePath(folder, site.knownHosts),
    secrets: (variable) => secrets.get(secretNameOf(variable)),
    agentSocket: process.env['SSH_AUTH_SOCK'],
  });
  const caPath = site.registry?.ca;
  const ca = caPath === undefined ? undefined : await readText(sitePath(folder, caPath), 'The registry’s certificate authority');
  const stateFolder = envPaths('deliver', { suffix: '' }).log;
  const caPorts = { loaded, hosts, stateFolder, ...(ca === undefined ? {} : { ca }) };
  const registry = new Once(async () => openRegistry(loaded, secrets, hosts, await siteCa(caPorts)));
  const cluster = new Once(() => openCluster(loaded, hosts, leaving));
  return {
    loaded,
    secrets,
    hosts,
    http: httpListener,
    ...(ca === undefined ? {} : { ca }),
    trusted: await sitePolicy(loaded),
    stateFolder,
    openBundle,
    registry: async () => {
      const known = await registry.opened();
      // Opened before the registry was made: the authority that signs for it came after.
      if (known?.isTrusting === false && (await siteCa(caPorts)) !== undefined) {
        registry.forget();
        await known.connection.close();
      }
      return (await registry.get()).connection;
    },
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

  forget(): void {
    this.#made = undefined;
  }

  async opened(): Promise<Value | undefined> {
    return this.#made?.catch(() => undefined);
  }
}

interface OpenedRegistry {
  /** False when it was opened without a private authority that deliver makes. */
  readonly isTrusting: boolean;
  readonly connection: SiteRegistryConnection;
}

const ONCE_MORE: RetryPolicy = { retries: 1, firstDelay: 200 };

async function openRegistry(
  { site }: LoadedSite,
  secrets: SecretStore,
  hosts: HostConnector,
  ca: string | undefined,
): Promise<OpenedRegistry> {
  const { registry } = site;
  if (registry === undefined)
    // Who asks must know that the site has one.
    throw new DeliverError('E_BUG', { what: `The registry of site ${site.metadata.name} was asked for, and it has none.` });
  const { host, plainHttp, username, password } = registry;
  const { address, via } = registryWay(site);
  const isTrusting = ca !== undefined || registry.install === undefined || registry.install.certificate !== undefined;
  const options: Omit<RegistryOptions, 'role'> = {
    host,
    // One that is most likely still to be made is not waited for; it is opened anew once it is.
    ...(isTrusting ? {} : { retry: ONCE_MORE }),
    ...(address === undefined ? {} : { address }),
    ...(plainHttp === undefined ? {} : { plainHttp }),
    ...(ca === undefined ? {} : { ca }),
    ...(via === undefined ? {} : { dial: dialer(hosts, via) }),
  };
  const account =
    username === undefined || password === undefined
      ? undefined
      : { username, password: secrets.get(secretNameOf(password)).reveal() };
  const connection = await openSiteRegistry({ ...options, ...(account === undefined ? {} : { account }) }, registryType(site));
  return { connection, isTrusting };
}

const ADMIN_CONF = '/etc/kubernetes/admin.conf';

/** The kubeconfig of the site file, else the one that kubeadm left on a control plane host. */
async function openCluster({ site, folder }: LoadedSite, hosts: HostConnector, leaving?: string): Promise<ClusterApi> {
  const { kubeconfig, context, via } = site.cluster ?? {};
  const more = { ...(context === undefined ? {} : { context }), ...(via === undefined ? {} : { dial: dialer(hosts, via) }) };
  if (kubeconfig !== undefined) {
    return createClusterApi({ kubeconfig: await readText(sitePath(folder, kubeconfig), 'The kubeconfig'), folder, ...more });
  }
  const from = site.cluster?.from === undefined ? (site.roles?.['control-plane'] ?? []) : [site.cluster.from];
  if (from.length === 0) {
    throw new DeliverError('E_SCHEMA', {
      what: `The file of site ${site.metadata.name} names no cluster, and no hosts to make one of.`,
      fix: 'Add cluster: { kubeconfig: ./admin.conf }, cluster: { from: <host> }, or roles: { control-plane: [<host>] } to the site file.',
    });
  }
  const found = await adminConf([...from.filter((host) => host !== leaving), ...from.filter((host) => host === leaving)], hosts);
  // The name of the API is known on the hosts of a cluster that deliver made, and perhaps nowhere else.
  const dial = site.cluster === undefined ? { dial: dialer(hosts, found.host) } : {};
  return createClusterApi({ kubeconfig: found.text, ...dial, ...more });
}

/** The first host that has one; a control plane that is down does not stand in the way of the others. */
async function adminConf(
  from: readonly string[],
  hosts: HostConnector,
): Promise<{ readonly host: string; readonly text: string }> {
  let unreachable: DeliverError | undefined;
  for (const host of from) {
    try {
      const bytes = await (await hosts.connect(host)).readFile(ADMIN_CONF);
      if (bytes !== undefined) return { host, text: Buffer.from(bytes).toString() };
    } catch (error) {
      if (from.length === 1 || !isDeliverError(error, 'E_SSH')) throw error;
      unreachable = error;
    }
  }
  if (unreachable !== undefined) throw unreachable;
  throw new DeliverError('E_KUBECONFIG', {
    what: `${from.join(', ')} ${from.length === 1 ? 'has' : 'have'} no ${ADMIN_CONF}.`,
    fix: 'Name a control plane host as cluster.from, or give a kubeconfig as cluster.kubeconfig.',
  });
}
