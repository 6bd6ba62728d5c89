import { CERTS_D } from './containerd-checks.ts';

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
      path: `${CERTS_D}/${folderName(host)}/hosts.toml`,
      content: hostsToml(host, caPath, options),
      mode: 0o644,
    })),
  ];
}

/** `harbor.site:8443` → `harbor.site_8443_`, the form of the folder that every containerd looks for first. */
function folderName(host: string): string {
  const colon = host.lastIndexOf(':');
  return colon > 0 ? `${host.slice(0, colon)}_${host.slice(colon + 1)}_` : host;
}

function hostsToml(host: string, caPath: string | undefined, { registryHost, plainHttp, naming }: MirrorOptions): string {
  const registry = `${plainHttp === true ? 'http' : 'https'}://${registryHost}`;
  const own = host === registryHost;
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
    `[host."${own ? registry : `${registry}/v2/${naming(host)}`}"]`,
    '  capabilities = ["pull", "resolve"]',
    ...(own ? [] : ['  override_path = true']),
    ...ca.map((line) => `  ${line}`),
    '',
  ].join('\n');
}
