import { z } from 'zod';
import { podNamespaces } from '../../apps/manifest-pull.ts';
import { pullSecretName } from '../../apps/pull-secret.ts';
import { Secret } from '../../core/secret.ts';
import { secretNameOf } from '../../manifest/secrets.ts';
import type { RegistryAccount } from '../../registry/port.ts';
import { manifestParts } from './manifest-parts.ts';
import { pullStanding } from './pull-standing.ts';
import type { ReleaseSession } from '../release-session.ts';
import { robotName } from './robot-names.ts';
import { hasNoRegistry } from '../site-images.ts';
import type { SitePorts } from '../site-ports.ts';

/** The account that pods pull with, and whether something has to be done for it first. */
export interface PullAccount {
  readonly account: RegistryAccount;
  /**
   * `given`: in the site file; `kept`: in the cluster and valid; `narrow`: so, but without the right to every project;
   * `new`: a robot has to be made; `site`: the site's own, which may not make robots.
   */
  readonly origin: 'given' | 'kept' | 'narrow' | 'new' | 'site';
}

const UNKNOWN: RegistryAccount = { username: 'made at install', password: 'made at install' };

/**
 * Finds the account that pods pull with; makes nothing. Undefined when the registry lets everyone pull.
 * A robot of an earlier install is kept as long as Harbor accepts its secret.
 */
export async function findPullAccount(
  session: ReleaseSession,
  ports: SitePorts,
  signal: AbortSignal,
): Promise<PullAccount | undefined> {
  if (hasNoRegistry(ports.loaded.site)) return undefined;
  const given = givenAccount(ports);
  if (given !== undefined) return { account: given, origin: 'given' };
  const { harbor } = await ports.registry();
  if (harbor === undefined || session.push.projects.length === 0) return undefined;
  const kept = await keptAccount(session, ports, signal);
  const standing = kept === undefined ? 'none' : await pullStanding(kept, session, ports, signal);
  const isRobot = kept?.username.endsWith(robotName('pods', session, ports)) === true;
  if (kept !== undefined && isRobot && standing === 'all') return { account: kept, origin: 'kept' };
  const own = siteAccount(ports);
  if (await harbor.robots.mayMake()) {
    return kept !== undefined && isRobot && standing === 'some'
      ? { account: kept, origin: 'narrow' }
      : { account: UNKNOWN, origin: 'new' };
  }
  return own === undefined ? undefined : { account: own, origin: 'site' };
}

/** The account to use now; a robot is made when none is there, or let into further projects. Projects must exist. */
export async function ensurePullAccount(
  session: ReleaseSession,
  ports: SitePorts,
  signal: AbortSignal,
): Promise<PullAccount | undefined> {
  if (hasNoRegistry(ports.loaded.site)) return undefined;
  const found = await findPullAccount(session, ports, signal);
  const { harbor } = await ports.registry();
  if (harbor === undefined || found === undefined || (found.origin !== 'new' && found.origin !== 'narrow')) return found;
  const name = robotName('pods', session, ports);
  const { projects } = session.push;
  // The same secret goes on: what runs with it is not locked out meanwhile.
  if (found.origin === 'narrow' && (await harbor.robots.widenPull(name, projects))) return { ...found, origin: 'kept' };
  return { account: await harbor.robots.renewPull(name, projects), origin: 'new' };
}

/** The site file's account, for a Harbor in which it may not make a lesser one. */
export function siteAccount({ loaded, secrets }: Pick<SitePorts, 'loaded' | 'secrets'>): RegistryAccount | undefined {
  const { username, password } = loaded.site.registry ?? {};
  return username === undefined || password === undefined
    ? undefined
    : { username, password: secrets.get(secretNameOf(password)).reveal() };
}

function givenAccount(ports: SitePorts): RegistryAccount | undefined {
  const pull = ports.loaded.site.registry?.pull;
  return pull === undefined
    ? undefined
    : { username: pull.username, password: ports.secrets.get(secretNameOf(pull.password)).reveal() };
}

const DockerConfig = z.object({ auths: z.record(z.string(), z.object({ username: z.string(), password: z.string() })) });
const PullSecret = z.object({ data: z.object({ '.dockerconfigjson': z.string() }) });

async function keptAccount(session: ReleaseSession, ports: SitePorts, signal: AbortSignal): Promise<RegistryAccount | undefined> {
  const name = pullSecretName(session.release.metadata.name);
  const api = await ports.cluster();
  // Add-ons have it too, and a release may consist of them.
  const parts = await manifestParts(session, ports.loaded.site, [], undefined, signal);
  const ofAddons = podNamespaces(parts.flatMap(({ objects }) => objects));
  for (const namespace of new Set([...(session.release.apps ?? []).map((app) => app.namespace), ...ofAddons])) {
    const secret = PullSecret.safeParse(await api.get({ apiVersion: 'v1', kind: 'Secret', name, namespace }, signal));
    if (!secret.success) continue;
    const account = parseConfig(Buffer.from(secret.data.data['.dockerconfigjson'], 'base64').toString());
    if (account !== undefined) return account;
  }
  return undefined;
}

function parseConfig(text: string): RegistryAccount | undefined {
  try {
    const [account] = Object.values(DockerConfig.parse(JSON.parse(text)).auths);
    if (account === undefined) return undefined;
    new Secret(account.password);
    return account;
  } catch {
    // Somebody else's content under our name: a new account takes its place.
    return undefined;
  }
}
