import { Buffer } from 'node:buffer';
import { isDeliverError } from '../../core/errors.ts';
import { Secret } from '../../core/secret.ts';
import { secretNameOf } from '../../manifest/secrets.ts';
import type { RegistryAccount } from '../../registry/port.ts';
import { authorizationIn, mirrorPath } from '../../site/mirrors/files.ts';
import { buildsKubernetes } from '../../site/kubeadm/settings.ts';
import { nodesOf } from '../../site/nodes/nodes.ts';
import { makesCluster } from './host-wishes.ts';
import { siteAccount } from './pull-account.ts';
import { pullStanding } from './pull-standing.ts';
import { settingsOf } from '../plan/registry-plan.ts';
import type { ReleaseSession } from '../release-session.ts';
import { robotName, robotOfSite } from './robot-names.ts';
import type { SitePorts } from '../site-ports.ts';

/** What a plan shows for an account that is still to be made: other bytes than any that are there. */
const TO_BE_MADE = 'Basic to-be-made';

/**
 * How the nodes of a cluster that deliver makes prove themselves to the registry, for static pods and add-ons have no pull
 * secrets: the pull account of the site file; of a Harbor a robot of their own that may only pull; of a plain registry that
 * deliver installs an account of their own; where no lesser account can be made (another plain registry, or a Harbor whose
 * account may not make robots), the site’s.
 * @param make false to only look: nothing is made in the registry
 * @returns the value of an Authorization header; undefined where the cluster is not ours to make
 */
export async function nodeAuthorization(
  session: ReleaseSession,
  ports: SitePorts,
  make: boolean,
  signal: AbortSignal,
): Promise<Secret | undefined> {
  const { site } = ports.loaded;
  const { pull } = site.registry ?? {};
  if (!buildsKubernetes(site)) return undefined;
  // A release of apps alone must not take from the nodes what they show for the release that made them.
  if (!makesCluster(site, session.bundle.lock) && (await accountOnNode(ports, signal)) === undefined) return undefined;
  if (pull !== undefined)
    return basic({ username: pull.username, password: ports.secrets.get(secretNameOf(pull.password)).reveal() });
  const derived = (await settingsOf(ports))?.pull;
  if (derived !== undefined) return basic({ username: derived.username, password: derived.password.reveal() });
  const own = siteAccount(ports);
  if (own === undefined) return undefined;
  const { harbor } = await opened(ports, make);
  if (harbor === undefined) return site.registry?.install?.kind === 'harbor' ? new Secret(TO_BE_MADE) : basic(own);
  const { projects } = session.push;
  const found = await accountOnNode(ports, signal);
  // The files are shared by all releases of the site, and so is what stands in them.
  const keptName = found === undefined ? undefined : robotOfSite('nodes', found.username, ports);
  const kept = keptName === undefined ? undefined : found;
  if (kept === undefined && projects.length === 0) return undefined;
  const standing = kept === undefined ? 'none' : await pullStanding(kept, session, ports, signal);
  if (kept !== undefined && standing === 'all') return basic(kept);
  if (!(await harbor.robots.mayMake())) return basic(own);
  if (kept !== undefined && keptName !== undefined && standing === 'some') {
    if (!make || (await harbor.robots.widenPull(keptName, projects))) return basic(kept);
  }
  const name = robotName('nodes', session, ports);
  return make ? basic(await harbor.robots.renewPull(name, projects)) : new Secret(TO_BE_MADE);
}

/** A registry that is still to be installed can’t be asked. */
async function opened(ports: SitePorts, make: boolean): Promise<Partial<Awaited<ReturnType<SitePorts['registry']>>>> {
  try {
    return await ports.registry();
  } catch (error) {
    if (make || ports.loaded.site.registry?.install === undefined || !isDeliverError(error, 'E_REGISTRY', 'E_HARBOR', 'E_SSH'))
      throw error;
    return {};
  }
}

/** The account that the first node has already, in the file that every release writes: that of the registry itself. */
async function accountOnNode(ports: SitePorts, signal: AbortSignal): Promise<RegistryAccount | undefined> {
  const [node] = nodesOf(ports.loaded.site);
  const host = ports.loaded.site.registry?.host;
  if (node === undefined || host === undefined) return undefined;
  const bytes = await (await ports.hosts.connect(node.name, signal)).readFile(mirrorPath(host));
  const header = bytes === undefined ? undefined : authorizationIn(Buffer.from(bytes).toString('utf8'));
  return header === undefined ? undefined : accountOf(header);
}

function accountOf(header: string): RegistryAccount | undefined {
  const [username, ...password] = Buffer.from(header.slice('Basic '.length), 'base64').toString('utf8').split(':');
  return username === undefined || username === '' ? undefined : { username, password: new Secret(password.join(':')).reveal() };
}

function basic({ username, password }: RegistryAccount): Secret {
  return new Secret(`Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`);
}
