import type { KubeKeyCluster } from './cluster-schema.ts';
import type { Findings } from './findings.ts';
import { isSet, orElse, secretFor, type InlineSecrets } from './hosts.ts';
import type { JsonPath } from '../problem.ts';
import type { SiteRegistry } from '../site-schema.ts';

/** The name of a registry that KubeKey installs, unless the file gives another. */
const DEFAULT_HOST = 'dockerhub.kubekey.local';

const AT: JsonPath = ['spec', 'registry'];

type KubeKeyRegistry = NonNullable<KubeKeyCluster['spec']['registry']>;

/** KubeKey's registry as ours; undefined when the file asks for none. */
export function siteRegistry(
  { spec }: KubeKeyCluster,
  registryHosts: readonly string[],
  secrets: InlineSecrets,
  findings: Findings,
): SiteRegistry | undefined {
  const given = spec.registry ?? {};
  const isInstalled = registryHosts.length > 0;
  const host = hostOf(given, isInstalled);
  if (orElse(given.type, undefined) !== undefined && (spec.roleGroups.registry ?? []).length === 0) {
    findings.problem([...AT, 'type'], 'asks for a registry, but roleGroups.registry names no host for it');
  }
  noteOthers(given, host, isInstalled, findings);
  if (host === undefined) return undefined;
  const address = spec.hosts.find(({ name }) => name === registryHosts[0]);
  const project = orElse(given.namespaceOverride, undefined) ?? privatePath(given);
  const kind = given.type === 'harbor' || given.type === 'harbor-ha' ? 'harbor' : 'distribution';
  return {
    host: isInstalled && isSet(given.port) && given.port !== 443 ? `${host}:${String(given.port)}` : host,
    ...(address === undefined ? {} : addressOf(address.address, address.internalAddress)),
    ...(project === undefined ? {} : { project }),
    ...accountOf(given, host, isInstalled && kind === 'harbor', secrets, findings),
    ...(isInstalled ? { install: { kind, ...(isSet(given.port) ? { httpsPort: given.port } : {}) } } : {}),
  };
}

function addressOf(address: string | undefined, internal: string | undefined): { address?: string } {
  const known = orElse(address, internal);
  return known === undefined || known === '' ? {} : { address: known };
}

/** `privateRegistry`, else the one host that an account is given for, else KubeKey's own name. */
function hostOf(given: KubeKeyRegistry, isInstalled: boolean): string | undefined {
  const named = orElse(given.privateRegistry, undefined)?.split('/')[0];
  const accounts = Object.keys(given.auths ?? {});
  return named ?? (accounts.length === 1 ? accounts[0] : undefined) ?? (isInstalled ? DEFAULT_HOST : undefined);
}

/** `harbor.local/ns` puts everything below ns. */
function privatePath(given: KubeKeyRegistry): string | undefined {
  const path = (given.privateRegistry ?? '').split('/').slice(1).join('/');
  return path === '' ? undefined : path;
}

function accountOf(
  given: KubeKeyRegistry,
  host: string,
  needsAdmin: boolean,
  secrets: InlineSecrets,
  findings: Findings,
): Partial<SiteRegistry> {
  const auth = given.auths?.[host];
  const path = [...AT, 'auths', host];
  const username = orElse(auth?.username, needsAdmin ? 'admin' : undefined);
  const password = orElse(auth?.password, undefined);
  const plainHttp = auth?.plainHTTP === true || given.plainHttp === true;
  if (auth?.skipTLSVerify === true && !plainHttp) {
    findings.note([...path, 'skipTLSVerify'], 'not used: the certificate is always checked, by certsPath or the CA made on site');
  }
  if (password === undefined && needsAdmin) {
    findings.note(AT, 'no password for Harbor’s admin: set the secret “registry” (DELIVER_SECRET_REGISTRY)');
  }
  const ca = orElse(auth?.certsPath, undefined);
  return {
    ...(username === undefined || (password === undefined && !needsAdmin)
      ? {}
      : {
          username,
          password: password === undefined ? '${secret.registry}' : secretFor(password, 'registry', secrets),
        }),
    ...(ca === undefined ? {} : { ca: `${ca.replace(/\/$/, '')}/ca.crt` }),
    ...(plainHttp ? { plainHttp } : {}),
  };
}

function noteOthers(given: KubeKeyRegistry, host: string | undefined, isInstalled: boolean, findings: Findings): void {
  for (const other of Object.keys(given.auths ?? {}).filter((name) => name !== host)) {
    findings.problem(
      [...AT, 'auths', other],
      host === undefined
        ? 'is one of several: say as privateRegistry which is the site’s'
        : `is not supported: ${host} is the site’s one registry; leave it out`,
    );
  }
  (given.insecureRegistries ?? []).forEach((name, index) => {
    const own = name.split('/')[0] === host;
    const path = [...AT, 'insecureRegistries', index];
    if (!own) findings.note(path, 'not used: nodes pull from the site’s registry alone');
    else if (isInstalled) findings.note(path, 'not needed: the nodes are given the CA of the registry');
    else if (given.auths?.[name]?.plainHTTP !== true && given.plainHttp !== true) {
      findings.problem(path, `is not enough: set plainHTTP: true or certsPath: under registry.auths["${name}"]`);
    }
  });
  if (!isInstalled && isSet(given.port)) {
    findings.problem([...AT, 'port'], 'belongs in privateRegistry (host:port) when the registry is there already');
  }
  if (given.type === 'harbor-ha') {
    findings.problem([...AT, 'type'], 'is not supported: write harbor, and replicate to a second site’s Harbor', 'E_NOT_YET');
  }
}
