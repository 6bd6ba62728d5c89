import { resolve } from 'node:path';
import type { Reference } from '../core/reference.ts';
import type { RetryPolicy } from '../core/retried.ts';
import type { Secret } from '../core/secret.ts';
import { locationsFor } from '../manifest/image-location.ts';
import { readCa } from '../manifest/read-ca.ts';
import type { RegistrySource, Sources } from '../manifest/release-schema.ts';
import { DockerAccounts, type Environment } from './docker-config.ts';
import { LocalImages } from './local/local-images.ts';
import type { RegistryOptions } from './options.ts';
import type { ImageSource, RegistryAccount } from './port.ts';
import { createRegistry, type Registry } from './registry.ts';
import { TransferThreads } from './transfer-threads.ts';

export interface OpenImageSource extends ImageSource {
  close(): Promise<void>;
}

export interface ImageSourceOptions {
  readonly retry?: RetryPolicy;
  /** Accounts by host that win over the docker config. */
  readonly accounts?: ReadonlyMap<string, GivenAccount> | undefined;
}

interface GivenAccount {
  readonly username: string;
  readonly password: Secret;
}

/** Docker Hub's name and its API are different hosts. */
const ENDPOINTS: Readonly<Record<string, string>> = { 'docker.io': 'registry-1.docker.io' };

/**
 * Where the connected side gets images: an archive, layout or daemon in `sources.images`; else the reference's own host, or its
 * mirror in `sources.registries`; accounts from the docker config; proxies from the environment.
 * @param directory what relative paths start from: the folder of the release file
 */
export function createImageSource(
  sources: Sources,
  env: Environment,
  directory: string = process.cwd(),
  { retry, accounts }: ImageSourceOptions = {},
): OpenImageSource {
  const docker = new DockerAccounts(env);
  const readers = new Map<string, Registry>();
  // A release is of many registries; two threads for each would cost more memory than all that they receive.
  const threads = new TransferThreads();
  const local = new LocalImages(directory, env);
  const { registries, images = {} } = sources;
  const common = sources.ca === undefined ? {} : { ca: readCa(resolve(directory, sources.ca), 'sources.ca') };
  const open = (sourceHost: string, host: string, source: RegistrySource | undefined): Registry => {
    const known = readers.get(sourceHost);
    if (known !== undefined) return known;
    const options: RegistryOptions = {
      host: ENDPOINTS[host] ?? host,
      role: 'source',
      proxyEnv: env,
      account: () => given(accounts?.get(host)) ?? docker.find(host),
      ...(source?.plainHttp === undefined ? {} : { plainHttp: source.plainHttp }),
      ...(source?.ca === undefined
        ? common
        : { ca: readCa(resolve(directory, source.ca), `sources.registries["${sourceHost}"].ca`) }),
      ...(retry === undefined ? {} : { retry }),
    };
    const reader = createRegistry(options, threads);
    readers.set(sourceHost, reader);
    return reader;
  };
  return {
    locate: (reference: Reference) => {
      const locations = locationsFor(images, reference);
      if (locations.length > 0) return { reader: local.reader(locations, reference), repository: reference.repository };
      const source = registries?.[reference.host];
      const { host, prefix } = mirrorOf(source?.mirror ?? reference.host);
      return { reader: open(reference.host, host, source), repository: `${prefix}${reference.repository}` };
    },
    close: async () => {
      await Promise.all([local, threads, ...readers.values()].map((one) => one.close()));
    },
  };
}

function given(account: GivenAccount | undefined): Promise<RegistryAccount> | undefined {
  if (account === undefined) return undefined;
  return Promise.resolve({ username: account.username, password: account.password.reveal() });
}

/** `host[:port][/path]`; a scheme or slashes at the end are forgiven. */
function mirrorOf(mirror: string): { host: string; prefix: string } {
  const [host = '', ...path] = mirror
    .replace(/^https?:\/\//, '')
    .split('/')
    .filter((part) => part !== '');
  return { host, prefix: path.map((part) => `${part}/`).join('') };
}
