import { DeliverError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import { readText } from './read-text.ts';
import type { Site } from './site-schema.ts';
import { sitePath } from './site-path.ts';
import { didYouMean } from './suggest.ts';
import { parseYaml } from './yaml-document.ts';

const PREFIX = 'DELIVER_SECRET_';

/** The secrets of a site by name. */
export interface SecretStore {
  /** @throws DeliverError E_SECRET_MISSING, saying where it was looked for */
  get(name: string): Secret;
}

/** `harbor` of `${secret.harbor}`, a value whose form the schema has checked. */
export function secretNameOf(variable: string): string {
  return variable.slice('${secret.'.length, -1);
}

/** `reg1.db-password` is DELIVER_SECRET_REG1_DB_PASSWORD in the environment. */
export function secretVariable(name: string): string {
  return `${PREFIX}${name.toUpperCase().replace(/[-.]/g, '_')}`;
}

/**
 * Secrets from the environment, else from the site's `secrets:` file (a YAML map of name to text, every value as written),
 * else those that a KubeKey file holds literally.
 * @throws DeliverError E_FILE_NOT_FOUND, E_YAML, E_SCHEMA, E_NOT_YET for an encrypted file
 */
export async function secretsOf(
  site: Site,
  folder: string,
  env: NodeJS.ProcessEnv,
  inline: ReadonlyMap<string, Secret> = new Map(),
): Promise<SecretStore> {
  const file = site.secrets === undefined ? undefined : sitePath(folder, site.secrets);
  // Also those that nothing asks for are never shown.
  for (const [name, value] of Object.entries(env)) if (name.startsWith(PREFIX) && value !== undefined) new Secret(value);
  const inFile = file === undefined ? new Map<string, Secret>() : await readSecrets(file);
  return {
    get(name) {
      const fromEnvironment = env[secretVariable(name)];
      if (fromEnvironment !== undefined && fromEnvironment !== '') return new Secret(fromEnvironment);
      const secret = inFile.get(name) ?? inline.get(name);
      if (secret !== undefined) return secret;
      throw new DeliverError('E_SECRET_MISSING', {
        what: `The secret “${name}” is not known.`,
        why: `Looked in the environment (${secretVariable(name)}) and in ${file ?? 'no file: the site has no secrets:'}.${didYouMean(name, inFile.keys())}`,
        fix: `Set ${secretVariable(name)}, or add ${name}: to ${file ?? 'a YAML file and name it as secrets: in the site file'}.`,
      });
    },
  };
}

async function readSecrets(file: string): Promise<Map<string, Secret>> {
  const text = await readText(file, 'The secrets file');
  const { value, positionOf } = looksEncrypted(text)
    ? encrypted(file)
    : parseYaml(file, text, { textOnly: true, confidential: true });
  if (value === null || value === '') return new Map();
  if (typeof value !== 'object' || Array.isArray(value)) throw notAMap(file, positionOf([]));
  if ('sops' in value) encrypted(file);
  return new Map(
    Object.entries(value).map(([name, secret]: [string, unknown]) => {
      if (typeof secret !== 'string') throw notAMap(file, positionOf([name]));
      return [name, new Secret(secret)];
    }),
  );
}

function looksEncrypted(text: string): boolean {
  return /^-----BEGIN AGE ENCRYPTED FILE-----|^age-encryption\.org\/|^[^#\n]*: *ENC\[/m.test(text);
}

function encrypted(file: string): never {
  throw new DeliverError('E_NOT_YET', {
    what: `${file} is encrypted with SOPS or age, which deliver can’t open yet.`,
    fix: 'Decrypt it into the environment: DELIVER_SECRET_<NAME>, or into a file that only you can read.',
  });
}

function notAMap(file: string, position: string): DeliverError {
  return new DeliverError('E_SCHEMA', {
    what: `${file} is not a list of secrets.`,
    details: [`${position}  each line must be name: value`],
  });
}
