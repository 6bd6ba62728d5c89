import { DeliverError, messageOf } from '../../core/errors.ts';
import { parse, stringify } from 'yaml';
import { MIRROR_MARK, type MirrorFile, type MirrorOptions } from './files.ts';

/** Container runtimes that have mirrors of their own kind. */
export type OtherRuntime = 'crio' | 'k3s' | 'rke2';

/** How an other runtime is told about changed mirrors; only when something changed. */
export const MIRROR_RELOAD: Readonly<Record<OtherRuntime, string>> = {
  crio: 'systemctl reload crio',
  // Read at the start of the service only; pods keep running through it.
  k3s: 'for u in k3s k3s-agent; do ! systemctl is-active -q $u || systemctl restart $u || exit 1; done',
  rke2: 'for u in rke2-server rke2-agent; do ! systemctl is-active -q $u || systemctl restart $u || exit 1; done',
};

/** The same in words, for a plan. */
export const MIRROR_RELOAD_TEXT: Readonly<Record<OtherRuntime, string>> = {
  crio: 'reload CRI-O',
  k3s: 'restart k3s',
  rke2: 'restart RKE2',
};

/**
 * registries.conf(5) for CRI-O: the location itself is the site's registry, because the location is asked last and upstream
 * must never be.
 */
export function crioFiles(options: MirrorOptions): MirrorFile[] {
  const { registryHost, plainHttp = false, caPem, naming } = options;
  const tables = hostsOf(options).flatMap((host) => [
    '',
    '[[registry]]',
    `prefix = ${JSON.stringify(host)}`,
    `location = ${JSON.stringify(host === registryHost ? registryHost : `${registryHost}/${naming(host)}`)}`,
    ...(plainHttp ? ['insecure = true'] : []),
  ]);
  return [
    ...(caPem === undefined || plainHttp
      ? []
      : [{ path: `/etc/containers/certs.d/${registryHost}/ca.crt`, content: `${MIRROR_MARK}\n${caPem.trim()}\n`, mode: 0o644 }]),
    {
      path: '/etc/containers/registries.conf.d/50-deliver.conf',
      content: `${[MIRROR_MARK, ...tables].join('\n')}\n`,
      mode: 0o644,
    },
  ];
}

/**
 * registries.yaml of k3s and RKE2 with our mirrors in it; what others wrote for other registries, and accounts, stays.
 * @param existing the file as it is on the node
 * @throws DeliverError E_HOST when that can't be read as YAML
 */
export function registriesYaml(runtime: 'k3s' | 'rke2', options: MirrorOptions, existing: string | undefined): MirrorFile[] {
  const { registryHost, plainHttp = false, caPem, naming } = options;
  const folder = `/etc/rancher/${runtime}`;
  const path = `${folder}/registries.yaml`;
  const caPath = caPem === undefined || plainHttp ? undefined : `${folder}/deliver-ca.crt`;
  const before = parsed(path, existing);
  const mirrors = Object.fromEntries(
    hostsOf(options)
      // An endpoint that is the registry itself is what would be asked anyway.
      .filter((host) => host !== registryHost || plainHttp)
      .map((host) => [
        host,
        {
          endpoint: [`${plainHttp ? 'http' : 'https'}://${registryHost}`],
          ...(host === registryHost ? {} : { rewrite: { '^(.*)$': `${naming(host)}/$1` } }),
        },
      ]),
  );
  const config = asMap(asMap(before['configs'])[registryHost]);
  const configs = {
    ...asMap(before['configs']),
    ...(caPath === undefined ? {} : { [registryHost]: { ...config, tls: { ...asMap(config['tls']), ca_file: caPath } } }),
  };
  const value = {
    ...before,
    mirrors: { ...asMap(before['mirrors']), ...mirrors },
    ...(Object.keys(configs).length === 0 ? {} : { configs }),
  };
  return [
    ...(caPem === undefined || caPath === undefined
      ? []
      : [{ path: caPath, content: `${MIRROR_MARK}\n${caPem.trim()}\n`, mode: 0o644 }]),
    // Accounts may stand in it.
    { path, content: `${MIRROR_MARK}\n${stringify(value)}`, mode: 0o600 },
  ];
}

function hostsOf({ sourceHosts, registryHost }: MirrorOptions): string[] {
  return [...new Set([...sourceHosts, registryHost])].toSorted();
}

function parsed(path: string, text: string | undefined): Record<string, unknown> {
  try {
    return asMap(text === undefined ? {} : (parse(text) as unknown));
  } catch (error) {
    throw new DeliverError('E_HOST', {
      what: `${path} is there and can’t be read.`,
      why: messageOf(error).split('\n')[0] ?? '',
      fix: 'Mend it, or move it aside.',
      state: 'It was not changed.',
    });
  }
}

function asMap(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
