import { createHash } from 'node:crypto';
import { z } from 'zod';
import { pullSecretName } from '../apps/pull-secret.ts';
import type { ClusterApi } from '../cluster/port.ts';
import { Secret } from '../core/secret.ts';
import { secretNameOf } from '../manifest/secrets.ts';
import type { RegistryAccount } from '../registry/port.ts';
import type { ReleaseSession } from './release-session.ts';
import type { SitePorts } from './site-ports.ts';

/** The account that pods pull with, and whether it has to be made first. */
export interface PullAccount {
  readonly account: RegistryAccount;
  /** `given`: in the site file; `kept`: in the cluster and valid; `new`: a robot has to be made. */
  readonly origin: 'given' | 'kept' | 'new';
}

const UNKNOWN: RegistryAccount = { username: 'made at install', password: 'made at install' };

/**
 * Finds the account that pods pull with; makes nothing. Undefined when the registry lets everyone pull.
 * A robot of an earlier install is kept as long as Harbor accepts it for every project of the release.
 */
export async function findPullAccount(
  session: ReleaseSession,
  ports: SitePorts,
  signal: AbortSignal,
): Promise<PullAccount | undefined> {
  const given = givenAccount(ports);
  if (given !== undefined) return { account: given, origin: 'given' };
  const registry = await ports.registry();
  if (registry.harbor === undefined) return undefined;
  const kept = await keptAccount(await ports.cluster(), session, signal);
  if (kept === undefined) return { account: UNKNOWN, origin: 'new' };
  for (const project of session.push.projects) {
    const item = session.push.items.find((candidate) => candidate.project === project);
    const accepted = item === undefined || (await registry.accepts(kept, item.repository, signal));
    if (!accepted) return { account: UNKNOWN, origin: 'new' };
  }
  return { account: kept, origin: 'kept' };
}

/** The account to use now; a robot is made when none is there. Projects must exist. */
export async function ensurePullAccount(
  session: ReleaseSession,
  ports: SitePorts,
  signal: AbortSignal,
): Promise<PullAccount | undefined> {
  const found = await findPullAccount(session, ports, signal);
  const { harbor } = await ports.registry();
  if (found?.origin !== 'new' || harbor === undefined) return found;
  return { account: await harbor.renewPullRobot(robotName(session, ports), session.push.projects), origin: 'new' };
}

function givenAccount(ports: SitePorts): RegistryAccount | undefined {
  const pull = ports.loaded.site.registry?.pull;
  return pull === undefined
    ? undefined
    : { username: pull.username, password: ports.secrets.get(secretNameOf(pull.password)).reveal() };
}

const DockerConfig = z.object({ auths: z.record(z.string(), z.object({ username: z.string(), password: z.string() })) });
const PullSecret = z.object({ data: z.object({ '.dockerconfigjson': z.string() }) });

async function keptAccount(api: ClusterApi, session: ReleaseSession, signal: AbortSignal): Promise<RegistryAccount | undefined> {
  const name = pullSecretName(session.release.metadata.name);
  for (const namespace of new Set((session.release.apps ?? []).map((app) => app.namespace))) {
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

/** Harbor's rule for robot names (src/pkg/robot), which is also that of release names. */
const ROBOT_WORD = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

/**
 * One robot per site and release, so that renewing it for one release does not lock another one out. A site's name has no
 * dot, so two pairs never make one name; one that Harbor would refuse (`a--b`) is named by its hash.
 */
export function robotName(session: ReleaseSession, ports: SitePorts): string {
  const { name } = ports.loaded.site.metadata;
  const site = ROBOT_WORD.test(name) ? name : `x${createHash('sha256').update(name).digest('hex').slice(0, 12)}`;
  return `deliver.${site}.${session.release.metadata.name}`;
}
