import type { Secret } from '../../core/secret.ts';
import { CERTS_D } from '../check/containerd.ts';

/** A file of /etc/containerd/certs.d on every node. */
export interface MirrorFile {
  readonly path: string;
  readonly content: string;
  readonly mode: number;
}

export interface MirrorOptions {
  /** Every source host in the lock: `registry.k8s.io`, `docker.io`, `dockerhub.kubekey.local`. */
  readonly sourceHosts: readonly string[];
  /** The site's registry as nodes name it. */
  readonly registryHost: string;
  readonly plainHttp?: boolean;
  /** PEM of the private CA, undefined when the nodes trust the registry anyway. */
  readonly caPem?: string;
  /** What nodes say to be let in: static pods and add-ons have no pull secrets. */
  readonly authorization?: Secret;
  /** Where a source host lives in the registry: `registry.k8s.io` → `registry.k8s.io`, or `all/registry.k8s.io`. */
  readonly naming: (sourceHost: string) => string;
}

/** First line of every file that deliver writes there: how it knows its own files. */
export const MIRROR_MARK = '# written by deliver; changes are overwritten';

/**
 * The files that send containerd to the site's registry for every source host, so that references in pods stay as they
 * are: one hosts.toml each (containerd docs/hosts.md), and before them the CA they name. Sorted: same input, same bytes.
 */
export function mirrorFiles(options: MirrorOptions): MirrorFile[] {
  const { registryHost, plainHttp = false, caPem } = options;
  const caPath = caPem === undefined || plainHttp ? undefined : `${CERTS_D}/deliver-${folderName(registryHost)}-ca.crt`;
  const hosts = [...new Set([...options.sourceHosts, registryHost])].toSorted();
  return [
    ...(caPem === undefined || caPath === undefined
      ? []
      : [{ path: caPath, content: `${MIRROR_MARK}\n${caPem.trim()}\n`, mode: 0o644 }]),
    ...hosts.map((host) => ({
      path: mirrorPath(host),
      content: hostsToml(host, caPath, options),
      mode: options.authorization === undefined ? 0o644 : 0o600,
    })),
  ];
}

/** Where nothing listens, and only root could: a port that anybody may take would let anybody hand out images. */
const NOWHERE = 'http://127.0.0.1:1';

/**
 * The files for a site without a registry: what a node does not hold is refused at once, instead of being asked for upstream,
 * where there is no way to.
 */
export function closedMirrorFiles(sourceHosts: readonly string[]): MirrorFile[] {
  return [...new Set(sourceHosts)].toSorted().map((host) => ({
    path: mirrorPath(host),
    content: [
      MIRROR_MARK,
      '# This site has no registry: “deliver install” brings every image of a release to the node and keeps it here.',
      `server = "${NOWHERE}"`,
      'capabilities = ["push"]',
      '',
      `[host."${NOWHERE}"]`,
      '  capabilities = ["pull", "resolve"]',
      '',
    ].join('\n'),
    mode: 0o644,
  }));
}

/** What a file says to be let in; undefined when it says nothing. */
export function authorizationIn(content: string): string | undefined {
  return /^\s*Authorization = "(Basic [A-Za-z0-9+/=]+)"$/m.exec(content)?.[1];
}

/** Where the file of a source host lies. */
export function mirrorPath(host: string): string {
  return `${CERTS_D}/${folderName(host)}/hosts.toml`;
}

/** `harbor.site:8443` → `harbor.site_8443_`, the form of the folder that every containerd looks for first. */
function folderName(host: string): string {
  const colon = host.lastIndexOf(':');
  return colon > 0 ? `${host.slice(0, colon)}_${host.slice(colon + 1)}_` : host;
}

function hostsToml(
  host: string,
  caPath: string | undefined,
  { registryHost, plainHttp, naming, authorization }: MirrorOptions,
): string {
  const registry = `${plainHttp === true ? 'http' : 'https'}://${registryHost}`;
  const own = host === registryHost;
  const address = own ? registry : `${registry}/v2/${naming(host)}`;
  const ca = caPath === undefined ? [] : [`ca = "${caPath}"`];
  return [
    MIRROR_MARK,
    // Without a server, or with one that may pull, containerd asks it last: upstream, or the registry at a path where
    // nothing is, and that failure hides the real one. "push" keeps the entry and takes it out of every pull.
    `server = "${registry}"`,
    'capabilities = ["push"]',
    ...ca,
    '',
    // Older containerd rejects a file without a host table, and then silently goes upstream.
    `[host."${address}"]`,
    '  capabilities = ["pull", "resolve"]',
    ...(own ? [] : ['  override_path = true']),
    ...ca.map((line) => `  ${line}`),
    // The only way that containerd has to say who it is from a file that it reads at every pull.
    ...(authorization === undefined ? [] : [`  [host."${address}".header]`, `    Authorization = "${authorization.reveal()}"`]),
    '',
  ].join('\n');
}
