import { countText } from '../../core/amounts.ts';
import { isDeliverError } from '../../core/errors.ts';
import type { HarborApi } from '../../registry/port.ts';
import type { PushNeed } from '../../registry/push-need.ts';
import { check, type Check } from '../../site/check/check.ts';
import { immutableWanted } from '../install/harbor-setup.ts';
import { neededRegistry } from '../release-session.ts';
import type { SitePorts } from '../site-ports.ts';

/** What only a Harbor can refuse or lack; nothing of another registry. @throws DeliverError E_HARBOR, E_REGISTRY* */
export async function harborChecks(need: PushNeed, ports: SitePorts): Promise<Check[]> {
  const { harbor } = await ports.registry();
  return harbor === undefined ? [] : [...(await movedCheck(need, harbor, ports)), ...(await robotCheck(harbor, ports))];
}

/** A tag that Harbor would refuse to move after gigabytes were sent. */
async function movedCheck({ moved }: PushNeed, harbor: HarborApi, ports: SitePorts): Promise<Check[]> {
  const wanted = immutableWanted(neededRegistry(ports));
  if (moved.length === 0 || wanted === false) return [];
  const fixed = new Set<string>();
  for (const project of new Set(moved.map((item) => item.project)))
    if (wanted === true || (await isImmutable(harbor, project))) fixed.add(project);
  // Tags of signatures may move in any case.
  const tags = moved.filter(({ project, kind }) => fixed.has(project) && kind !== 'referrer');
  const refused = tags.map(({ repository, tag }) => `${repository}:${tag}`);
  const [first] = refused;
  if (first === undefined) return [];
  const holds = refused.length === 1 ? `${first} holds` : `${countText(refused.length, 'tag')} hold`;
  return [
    check('registry-immutable', 'immutable tags').fail({
      found: `${holds} something else there, and may not change`,
      details: refused.length === 1 ? [] : refused,
      code: 'E_REGISTRY_IMMUTABLE',
      fix: 'Release it under a new tag; or set registry.immutableTags: false in the site file while this is installed.',
    }),
  ];
}

/** Of an account that may not see the rules nothing is known: the push tells. */
async function isImmutable({ look }: HarborApi, project: string): Promise<boolean> {
  try {
    return !(await look.immutableTags(project, true));
  } catch (error) {
    if (isDeliverError(error, 'E_HARBOR')) return false;
    throw error;
  }
}

/** The account of nodes and pods should not be the one that pushes, and not every account may make a lesser one. */
async function robotCheck(harbor: HarborApi, ports: SitePorts): Promise<Check[]> {
  const { username, pull } = neededRegistry(ports);
  if (username === undefined || pull !== undefined) return [];
  const account = check('pull-account', 'account for pulls');
  if (await harbor.robots.mayMake()) return [account.pass({ found: 'a robot account that may only pull' })];
  return [
    account.warn({
      found: `${username}, as for pushes: it may not make robot accounts`,
      fix: 'Set registry.pull in the site file to an account that may only pull.',
    }),
  ];
}
