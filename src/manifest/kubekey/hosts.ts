import { Secret } from '../../core/secret.ts';
import { SecretVariable } from '../fields.ts';
import type { KubeKeyHost } from './cluster-schema.ts';
import type { Findings } from './findings.ts';
import type { JsonPath } from '../problem.ts';
import type { SiteHost } from '../site-schema.ts';

/** Passwords that a KubeKey file holds literally, by the name that they get as secrets. */
export type InlineSecrets = Map<string, Secret>;

/** KubeKey's hosts as ours. Root is who logs in where no user is named, and `~/.ssh/id_rsa` where no key and password are. */
export function siteHosts(hosts: readonly KubeKeyHost[], secrets: InlineSecrets, findings: Findings): SiteHost[] {
  const timed = hosts.findIndex(({ timeout }) => timeout !== undefined);
  if (timed >= 0) findings.note(['spec', 'hosts', timed, 'timeout'], 'not used: deliver has time limits of its own');
  return hosts.flatMap((host, index) => siteHost(host, ['spec', 'hosts', index], secrets, findings));
}

function siteHost(host: KubeKeyHost, path: JsonPath, secrets: InlineSecrets, findings: Findings): SiteHost[] {
  const address = orElse(host.address, host.internalAddress);
  if (address === undefined) {
    findings.problem(path, 'needs an address');
    return [];
  }
  const internalAddress = orElse(host.internalAddress, undefined);
  if (internalAddress?.includes(',') === true) {
    findings.problem(
      [...path, 'internalAddress'],
      'is not supported: deliver makes single-stack clusters; keep one address',
      'E_NOT_YET',
    );
  }
  if (orElse(host.privateKey, undefined) !== undefined) {
    findings.problem(
      [...path, 'privateKey'],
      'does not belong in this file: put the key in a file and name it as privateKeyPath',
    );
  }
  const user = orElse(host.user, 'root');
  return [
    {
      name: host.name,
      address,
      ...(internalAddress === undefined || internalAddress === address ? {} : { internalAddress }),
      ...archOf(host, path, findings),
      ...(host.labels === undefined ? {} : { labels: host.labels }),
      ...(isSet(host.port) ? { port: host.port } : {}),
      user,
      ...loginOf(host, secrets),
      ...(user === 'root' ? {} : { sudo: true }),
    },
  ];
}

function archOf({ arch }: KubeKeyHost, path: JsonPath, findings: Findings): Pick<SiteHost, 'arch'> {
  if (arch === undefined || arch === '') return {};
  if (arch === 'amd64' || arch === 'x86_64') return { arch: 'amd64' };
  if (arch === 'arm64' || arch === 'aarch64') return { arch: 'arm64' };
  findings.problem([...path, 'arch'], 'must be amd64, arm64');
  return {};
}

function loginOf(host: KubeKeyHost, secrets: InlineSecrets): Pick<SiteHost, 'key' | 'password'> {
  const password = orElse(host.password, undefined);
  const key = orElse(host.privateKeyPath, undefined);
  return {
    ...(key === undefined ? {} : { key }),
    ...(password === undefined ? {} : { password: secretFor(password, `ssh-${host.name}`, secrets) }),
    ...(password === undefined && key === undefined ? { key: '~/.ssh/id_rsa' } : {}),
  };
}

/** `${secret.name}` for a password that is written literally; one that is a variable already stays. */
export function secretFor(password: string, name: string, secrets: InlineSecrets): string {
  if (SecretVariable.safeParse(password).success) return password;
  secrets.set(name, new Secret(password));
  return `\${secret.${name}}`;
}

/** False for a number that is missing or 0, which is the same to KubeKey. */
export function isSet(number: number | undefined): number is number {
  return number !== undefined && number !== 0;
}

/** The text, unless it is missing or empty, which is the same to KubeKey. */
export function orElse<S extends string, T>(text: S | undefined, other: T): Exclude<S, ''> | T {
  return text === undefined || text === '' ? other : (text as Exclude<S, ''>);
}
