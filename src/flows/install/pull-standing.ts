import type { RegistryAccount } from '../../registry/port.ts';
import type { ReleaseSession } from '../release-session.ts';
import type { SitePorts } from '../site-ports.ts';

/** In which projects of the release an account may pull. `some`: its secret is right, and its rights are too few. */
export type Standing = 'all' | 'some' | 'none';

/** Asks the registry itself, once per project. */
export async function pullStanding(
  account: RegistryAccount,
  { push }: Pick<ReleaseSession, 'push'>,
  ports: Pick<SitePorts, 'registry'>,
  signal: AbortSignal,
): Promise<Standing> {
  const { harbor, accepts } = await ports.registry();
  const answers: boolean[] = [];
  for (const project of push.projects) {
    const item = push.items.find((candidate) => candidate.project === project);
    // Of a project that is still to be made Harbor says that there is none, whoever asks.
    const isThere = harbor === undefined || (await harbor.hasProject(project));
    if (item !== undefined) answers.push(isThere && (await accepts(account, item.repository, signal)));
  }
  if (answers.every((accepted) => accepted)) return 'all';
  return answers.some((accepted) => accepted) ? 'some' : 'none';
}
