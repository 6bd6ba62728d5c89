import { DeliverError } from '../../core/errors.ts';
import type { Secret } from '../../core/secret.ts';
import type { RegistryInstall, SiteRegistry } from '../../manifest/site-registry-schema.ts';
import type { Site } from '../../manifest/site-schema.ts';
import { nodesAccount } from './nodes-account.ts';
import type { Account } from './accounts.ts';
import type { Issued } from './ca.ts';

/** A registry that deliver installs, with all defaults filled in. */
export interface RegistrySettings {
  readonly kind: RegistryInstall['kind'];
  readonly site: string;
  /** Name of the one host that it runs on. */
  readonly on: string;
  /** Name that clients use, without a port. */
  readonly hostname: string;
  readonly port: number;
  /** Every name and address that its certificate is for, `hostname` first. */
  readonly names: readonly string[];
  readonly dataVolume: string;
  readonly account: Account;
  /** A second account that nodes pull with: the site’s, or one that deliver derives; Harbor has robots for that. */
  readonly pull?: Account;
  /** Of the site’s own; without it a private CA is made. */
  readonly given?: Issued;
  readonly givenCa?: string;
}

const DATA: Readonly<Record<RegistryInstall['kind'], string>> = { harbor: '/var/lib/harbor', distribution: '/var/lib/registry' };

/**
 * What the site file says about a registry to install; undefined when it asks for none.
 * @param secret reads `${secret.…}`
 * @throws DeliverError E_SCHEMA, E_SECRET_MISSING
 */
export function registrySettings(
  site: Site,
  secret: (variable: string) => Secret,
  given: { readonly pair?: Issued; readonly ca?: string },
): RegistrySettings | undefined {
  const { registry } = site;
  const install = registry?.install;
  if (registry === undefined || install === undefined) return undefined;
  const on = registryHostOf(site);
  const { hostname, port } = addressOf(registry, install);
  const { username, password, pull } = registry;
  if (username === undefined || password === undefined) {
    throw refused(
      'registry.install needs registry.username and registry.password.',
      'Give the registry an account of its own: username: admin, password: "${secret.registry}".',
    );
  }
  if (install.kind === 'harbor' && username !== 'admin') {
    throw refused(
      `Harbor’s first account is “admin”, and registry.username is “${username}”.`,
      'Write username: admin. Robot accounts for pushes and pulls are made by deliver.',
    );
  }
  if (registry.plainHttp === true) throw refused('A registry that deliver installs speaks TLS.', 'Leave registry.plainHttp out.');
  const extra = [registry.address, on.address, on.internalAddress].flatMap((text) =>
    text === undefined ? [] : [withoutPort(text)],
  );
  const account = { username, password: secret(password) };
  const puller = pull === undefined ? undefined : { username: pull.username, password: secret(pull.password) };
  const nodes = puller ?? (install.kind === 'distribution' ? nodesAccount(account, hostname) : undefined);
  return {
    kind: install.kind,
    site: site.metadata.name,
    on: on.name,
    hostname,
    port,
    names: [...new Set([hostname, ...extra])],
    dataVolume: registryDataVolume(install),
    account,
    ...(nodes === undefined ? {} : { pull: nodes }),
    ...(given.pair === undefined ? {} : { given: given.pair }),
    ...(given.ca === undefined ? {} : { givenCa: given.ca }),
  };
}

/** Where a registry keeps what is pushed to it. */
export function registryDataVolume({ kind, dataVolume }: Pick<RegistryInstall, 'kind' | 'dataVolume'>): string {
  return dataVolume ?? DATA[kind];
}

/** The one host that a registry is installed on. @throws DeliverError E_SCHEMA when there is none, or several */
export function registryHostOf(site: Site): NonNullable<Site['hosts']>[number] {
  const names = site.roles?.registry ?? [];
  if (names.length > 1) {
    throw refused(
      `roles.registry names ${String(names.length)} hosts, and registry.install makes one registry.`,
      'Name one host there; further registries are filled by replication (registry.replication).',
    );
  }
  const host = (site.hosts ?? []).find(({ name }) => name === names[0]);
  if (host !== undefined) return host;
  throw refused(
    'registry.install is asked for, and no host has the role registry.',
    'Add roles: { registry: [<host>] } to the site file.',
  );
}

function addressOf({ host }: SiteRegistry, { httpsPort }: RegistryInstall): { readonly hostname: string; readonly port: number } {
  const { hostname, port } = new URL(`https://${host}`);
  const named = port === '' ? 443 : Number(port);
  if (httpsPort !== undefined && httpsPort !== named) {
    throw refused(
      `registry.host says port ${String(named)}, registry.install.httpsPort ${String(httpsPort)}.`,
      `Write host: ${hostname}${httpsPort === 443 ? '' : `:${String(httpsPort)}`}.`,
    );
  }
  return { hostname, port: named };
}

function withoutPort(address: string): string {
  return new URL(`http://${address}`).hostname.replace(/^\[(.*)\]$/, '$1');
}

function refused(what: string, fix: string): DeliverError {
  return new DeliverError('E_SCHEMA', { what, fix, state: 'Nothing was changed.' });
}
