import { planHarborSetup } from '../install/harbor-setup.ts';
import type { RegistryPlan } from './types.ts';
import { findPushAccount } from '../install/push-account.ts';
import type { ReleaseSession } from '../release-session.ts';
import type { SitePorts } from '../site-ports.ts';

/** What an install would do in a Harbor beside its content, and as whom it would push. Changes nothing. @throws DeliverError E_HARBOR, E_REGISTRY* */
export async function planHarborSide(
  session: ReleaseSession,
  { state, imagesToPush }: Pick<RegistryPlan, 'state' | 'imagesToPush'>,
  ports: SitePorts,
): Promise<Pick<RegistryPlan, 'pushAs' | 'setUp'>> {
  const isThere = state === 'there';
  const pushAs = imagesToPush > 0 ? await findPushAccount(session, ports, isThere) : undefined;
  const setUp = await planHarborSetup(session, ports, isThere);
  return { ...(setUp.length === 0 ? {} : { setUp }), ...(pushAs === undefined ? {} : { pushAs }) };
}
