import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { DeliverError, messageOf, systemCode } from '../core/errors.ts';
import { askCredentialHelper } from './credential-helper.ts';
import type { RegistryAccount } from './port.ts';

const Entry = z.object({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
});
const ConfigFile = z.object({
  auths: z.record(z.string(), Entry).optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
  credsStore: z.string().optional(),
});
type ConfigFile = z.infer<typeof ConfigFile>;

export type Environment = Readonly<Record<string, string | undefined>>;

/** Docker's own key for Docker Hub. */
const HUB_KEY = 'https://index.docker.io/v1/';
const HUB_HOSTS = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/** Accounts as `docker login` and `podman login` leave them: $REGISTRY_AUTH_FILE, $DOCKER_CONFIG/config.json, ~/.docker/config.json. */
export class DockerAccounts {
  readonly #env: Environment;
  #file: Promise<ConfigFile> | undefined;

  constructor(env: Environment) {
    this.#env = env;
  }

  /**
   * The account for a registry host, undefined when there is none.
   * @throws DeliverError E_FILE_UNREADABLE, E_SOURCE_AUTH (a credential helper failed)
   */
  async find(host: string): Promise<RegistryAccount | undefined> {
    this.#file ??= readConfig(configPath(this.#env));
    const config = await this.#file;
    const hub = HUB_HOSTS.has(host);
    const helperKey = hub ? HUB_KEY : host;
    const helper = config.credHelpers?.[helperKey] ?? (hub ? config.credHelpers?.['docker.io'] : undefined) ?? config.credsStore;
    if (helper !== undefined && helper !== '') {
      const account = await askCredentialHelper(helper, helperKey, this.#env);
      if (account !== undefined) return account;
    }
    const found = Object.entries(config.auths ?? {}).find(([key]) => (hub ? HUB_HOSTS.has(hostOf(key)) : hostOf(key) === host));
    return found === undefined ? undefined : accountOf(found[1]);
  }
}

function configPath(env: Environment): string {
  if (env.REGISTRY_AUTH_FILE !== undefined && env.REGISTRY_AUTH_FILE !== '') return env.REGISTRY_AUTH_FILE;
  const folder = env.DOCKER_CONFIG ?? '';
  return join(folder === '' ? join(env.HOME ?? homedir(), '.docker') : folder, 'config.json');
}

async function readConfig(path: string): Promise<ConfigFile> {
  try {
    const parsed = ConfigFile.safeParse(JSON.parse(await readFile(path, 'utf8')));
    if (parsed.success) return parsed.data;
    throw unreadable(path, 'it is not a docker config');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return {};
    if (error instanceof DeliverError) throw error;
    // A JSON error quotes what it read, and here that is a password.
    throw unreadable(path, error instanceof SyntaxError ? 'it is not JSON' : messageOf(error));
  }
}

function unreadable(path: string, why: string): DeliverError {
  return new DeliverError('E_FILE_UNREADABLE', {
    what: `The registry accounts in ${path} can’t be read.`,
    why,
    fix: 'Log in again with docker login.',
  });
}

/** Keys are hosts or, from old dockers, URLs. */
function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}

function accountOf(entry: z.infer<typeof Entry>): RegistryAccount | undefined {
  if (entry.identitytoken !== undefined && entry.identitytoken !== '')
    return { username: '<token>', password: entry.identitytoken };
  const pair = Buffer.from(entry.auth ?? '', 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  if (colon > 0) return { username: pair.slice(0, colon), password: pair.slice(colon + 1).replace(/\0+$/, '') };
  const { username, password } = entry;
  return username === undefined || password === undefined ? undefined : { username, password };
}
