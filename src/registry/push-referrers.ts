import type { Bundle } from '../bundle/bundle.ts';
import { inParallel } from '../core/in-parallel.ts';
import type { Descriptor } from '../core/oci.ts';
import { manifestFacts } from '../serve/manifest-facts.ts';
import type { RegistryWriter } from './port.ts';
import type { PushItem, PushPlan } from './push-plan.ts';

const LISTS = 8;

/** False for what only refers to an image. */
export function isReference({ kind }: PushItem): boolean {
  return kind !== 'referrer';
}

/**
 * Makes what refers to an image be found there, when all of it has been put. Asked each time: a registry without the referrers API
 * may lack the tag that a run which was killed had not written yet.
 * @returns how many lists were written
 */
export async function linkReferrers(
  plan: PushPlan,
  bundle: Pick<Bundle, 'bytes'>,
  writer: RegistryWriter,
  signal: AbortSignal,
): Promise<number> {
  const about = plan.items.flatMap(({ repository, root, subject }) =>
    subject === undefined ? [] : [{ repository, root, subject }],
  );
  const lists = Map.groupBy(about, ({ repository, subject }) => `${repository}@${subject}`);
  let written = 0;
  await inParallel(lists.values(), LISTS, signal, async (list, listSignal) => {
    const [first] = list;
    if (first === undefined) return;
    const referrers: Descriptor[] = [];
    for (const { root } of list) {
      const facts = manifestFacts(await bundle.bytes(root.digest), root);
      if (facts !== undefined) referrers.push(facts.descriptor);
    }
    if (await writer.linkReferrers(first.repository, first.subject, referrers, listSignal)) written++;
  });
  return written;
}
