import { Buffer } from 'node:buffer';
import { isDeliverError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import { secretNameOf } from '../manifest/secrets.ts';
import type { RegistryAccount } from '../registry/port.ts';
import { authorizationIn, mirrorPath } from '../site/mirror-files.ts';
import { nodesOf } from '../site/nodes.ts';
import { makesCluster } from './host-wishes.ts';
import { robotName } from './pull-account.ts';
import { settingsOf } from './registry-plan.ts';
import type { ReleaseSession } from './release-session.ts';
import type { SitePorts } from './site-ports.ts';

/** What a plan shows for an account that is still to be made: other bytes than any that are there. */
const TO_BE_MADE = 'Basic to-be-made';

/**
 * How the nodes of a cluster that deliver makes prove themselves to the registry, for static pods and add-ons have no pull
 * secrets: the pull account of the site file; of a Harbor a robot of their own that may only pull; of a plain registry that
 * deliver installs an account of their own; of another plain registry, where none can be made, the site’s.
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
  const { pull, username, password } = site.registry ?? {};
  if (!makesCluster(site, session.bundle.lock)) return undefined;
  if (pull !== undefined) return basic(pull.username, ports.secrets.get(secretNameOf(pull.password)).reveal());
  if (username === undefined || password === undefined) return undefined;
  const own = (await settingsOf(ports))?.pull;
  if (own !== undefined) return basic(own.username, own.password.reveal());
  const { harbor } = await opened(ports, make);
  if (harbor === undefined) {
    const isKnown = site.registry?.install === undefined;
    return isKnown ? basic(username, ports.secrets.get(secretNameOf(password)).reveal()) : new Secret(TO_BE_MADE);
  }
  const kept = await keptOnNode(session, ports, signal);
  if (kept !== undefined) return kept;
  if (!make) return new Secret(TO_BE_MADE);
  const robot = await harbor.renewPullRobot(`${robotName(session, ports)}.nodes`, session.push.projects);
  return basic(robot.username, robot.password);
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

/** What the first node says already, as long as the registry lets it in everywhere. */
async function keptOnNode(session: ReleaseSession, ports: SitePorts, signal: AbortSignal): Promise<Secret | undefined> {
  const [node] = nodesOf(ports.loaded.site);
  const [host] = session.sourceHosts;
  if (node === undefined || host === undefined) return undefined;
  const bytes = await (await ports.hosts.connect(node.name, signal)).readFile(mirrorPath(host));
  const header = bytes === undefined ? undefined : authorizationIn(Buffer.from(bytes).toString('utf8'));
  const account = header === undefined ? undefined : accountOf(header);
  if (header === undefined || account === undefined) return undefined;
  const registry = await ports.registry();
  for (const project of session.push.projects) {
    const item = session.push.items.find((candidate) => candidate.project === project);
    if (item !== undefined && !(await registry.accepts(account, item.repository, signal))) return undefined;
  }
  return new Secret(header);
}

function accountOf(header: string): RegistryAccount | undefined {
  const [username, ...password] = Buffer.from(header.slice('Basic '.length), 'base64').toString('utf8').split(':');
  return username === undefined || username === '' ? undefined : { username, password: new Secret(password.join(':')).reveal() };
}

function basic(username: string, password: string): Secret {
  return new Secret(`Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`);
}
