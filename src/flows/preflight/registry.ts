import { bytesText, countText } from '../../core/amounts.ts';
import { DeliverError } from '../../core/errors.ts';
import { lackingError } from '../../registry/push-lacking.ts';
import { measurePush, type PushNeed } from '../../registry/push-need.ts';
import { check, checkThat, type Check } from '../../site/check/check.ts';
import { diskFreeOf } from '../../site/check/disk-room.ts';
import { NODES_ACCOUNT } from '../../site/registry/nodes-account.ts';
import { harborChecks } from './harbor.ts';
import { makesCluster } from '../install/host-wishes.ts';
import { neededRegistry, type ReleaseSession } from '../release-session.ts';
import type { SitePorts } from '../site-ports.ts';

/** A registry that is filled to the last byte can't even clean up. */
const RESERVE = 100_000_000;

/** Login, health and content of the site's registry. @param measured told what it lacks, when that could be asked */
export async function registryChecks(
  session: ReleaseSession,
  ports: SitePorts,
  signal: AbortSignal,
  measured: (need: PushNeed) => void,
): Promise<Check[]> {
  const checks = await registryAccessChecks(ports);
  if (checks.length < 2) return [...checks, ...pullCheck(session, ports, undefined)];
  let found: PushNeed | undefined;
  const content = await checkThat('registry-content', 'what the registry lacks', async () => {
    const need = await measurePush(session.push, await ports.registry(), { signal });
    measured(need);
    found = need;
    return { found: bytesText(need.bytes) };
  });
  checks.push(notYet(content, ports));
  if (found === undefined) return [...checks, ...pullCheck(session, ports, undefined)];
  const isPlain = (await ports.registry()).harbor === undefined;
  const ofHarbor = await harborChecks(found, ports);
  return [...checks, ...baseCheck(session, found), ...ofHarbor, ...pullCheck(session, ports, isPlain)];
}

/** Login and health; one check only when nobody can log in. One that deliver is to install need not be there. */
export async function registryAccessChecks(ports: SitePorts): Promise<Check[]> {
  const { host } = neededRegistry(ports);
  const login = await checkThat('registry-login', 'registry login', async () => {
    const { version } = await ports.registry();
    return { found: version === undefined ? host : `Harbor ${version}` };
  });
  if (login.outcome === 'fail') return [notYet(login, ports)];
  const health = await checkThat('registry-health', 'registry health', async () => {
    const { harbor } = await ports.registry();
    const down = (await harbor?.unhealthy()) ?? [];
    if (down.length === 0) return {};
    throw new DeliverError('E_HARBOR', {
      what: `not healthy: ${down.join(', ')}`,
      fix: 'Look at Harbor’s containers: docker compose ps, in its folder.',
    });
  });
  return [login, health];
}

/** A registry that deliver is to install need not answer: what it lacks is everything then. */
function notYet(answer: Check, ports: SitePorts): Check {
  const { install } = neededRegistry(ports);
  if (answer.outcome !== 'fail' || install === undefined || answer.code !== 'E_REGISTRY') return answer;
  const on = (ports.loaded.site.roles?.registry ?? []).join(', ');
  return check(answer.id, answer.title).pass({ found: `it does not answer yet: ${install.kind} is installed on ${on}` });
}

/** Whether the registry has what a delta leaves out. */
function baseCheck({ bundle }: ReleaseSession, need: PushNeed): Check[] {
  const { delta } = bundle;
  if (delta === undefined) return [];
  const found = `${delta.base.name} ${delta.base.version}, ${countText(delta.omitted.length, 'blob')} left out`;
  const outcome = check('registry-base', 'base of the delta');
  const lacking = lackingError(bundle, need);
  if (lacking === undefined) return [outcome.pass({ found })];
  const { code, facts } = lacking;
  const { what, why = '', fix = '', details = [] } = facts;
  return [outcome.fail({ found: `${what} ${why}`, fix, code, details })];
}

/**
 * A plain registry that asks for an account needs one for the pulls too. Where deliver makes the cluster the nodes have one:
 * that of the registry stands in their mirrors (`nodeAuthorization`).
 * @param isPlain undefined while the registry does not answer; what is to be installed tells then
 */
function pullCheck({ bundle }: ReleaseSession, ports: SitePorts, isPlain: boolean | undefined): Check[] {
  const { site } = ports.loaded;
  const { username, pull, install } = neededRegistry(ports);
  const plain = isPlain ?? install?.kind === 'distribution';
  if (!plain || username === undefined || pull !== undefined) return [];
  const outcome = check('pull-account', 'account for pulls');
  const isInMirrors = makesCluster(site, bundle.lock) && (site.runtime?.kind ?? 'containerd') === 'containerd';
  if (isInMirrors)
    return [outcome.pass({ found: `${install === undefined ? username : NODES_ACCOUNT}, in the mirrors of the nodes` })];
  return [
    outcome.warn(
      install === undefined
        ? {
            found: 'none: pods pull without an account',
            fix: 'Set registry.pull in the site file, unless the registry lets everyone pull.',
          }
        : {
            found: 'none, and the registry that deliver installs lets nobody pull without one',
            fix: 'Set registry.pull in the site file: deliver makes that account in the same install.',
          },
    ),
  ];
}

/** Whether what is missing fits on the hosts that keep the registry's data; only where the site file says in which folder. */
export async function registryRoomChecks(ports: SitePorts, need: PushNeed | undefined, signal: AbortSignal): Promise<Check[]> {
  const { storage } = neededRegistry(ports);
  const hosts = ports.loaded.site.roles?.registry ?? [];
  if (storage === undefined || need === undefined || need.bytes === 0) return [];
  return Promise.all(
    hosts.map((host) =>
      checkThat(
        'registry-disk',
        'registry disk',
        async () => {
          const { free, mount } = await diskFreeOf(await ports.hosts.connect(host, signal), storage, signal);
          const left = free - need.bytes;
          if (left >= RESERVE) return { found: `${bytesText(left)} free after` };
          throw new DeliverError('E_PREFLIGHT', {
            what: `${bytesText(free)} free on ${mount}, and ${bytesText(need.bytes)} will be pushed`,
            fix: `Free ${bytesText(RESERVE - left)} on ${host}: remove old releases in the registry and run its garbage collection.`,
          });
        },
        host,
      ),
    ),
  );
}
