import { countText } from '../core/amounts.ts';
import type { Digest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import type { PushNeed } from './push-need.ts';
import type { PushItem } from './push-plan.ts';

/** What is asked of a bundle: which blobs it holds, and of a delta on what it builds. */
export interface Carried {
  readonly blobs: { has(digest: Digest): boolean };
  readonly delta?: { readonly base: { readonly name: string; readonly version: string } };
}

/**
 * The error for what a push would need that neither the registry nor the bundle has; undefined when nothing is missing.
 * Names the images and charts first, then every digest.
 */
export function lackingError({ blobs, delta }: Carried, need: PushNeed): DeliverError | undefined {
  const unheld = new Set(need.blobs.filter(({ heldBy }) => heldBy.length === 0).map(({ blob }) => blob.digest));
  const lackedBy = (item: PushItem): Digest[] => {
    const wanted = [...item.blobs.filter(({ digest }) => unheld.has(digest)), item.root, ...item.children];
    return wanted.map(({ digest }) => digest).filter((digest) => !blobs.has(digest));
  };
  const items = need.items.map((item) => ({ item, lacking: lackedBy(item) })).filter(({ lacking }) => lacking.length > 0);
  if (items.length === 0) return undefined;
  const digests = [...new Set(items.flatMap(({ lacking }) => lacking))];
  const needs = items.map(({ item, lacking }) => `${item.kind} ${item.name} needs ${countText(lacking.length, 'blob')}`);
  const details = [...needs, ...digests];
  const what = `${countText(digests.length, 'blob')} that the registry lacks ${digests.length === 1 ? 'is' : 'are'} not in this bundle.`;
  if (delta === undefined) {
    const fix = 'Push a bundle that holds everything.';
    return new DeliverError('E_BUNDLE', { what, fix, state: 'Nothing was pushed.', details });
  }
  const base = `${delta.base.name} ${delta.base.version}`;
  return new DeliverError('E_BASE_MISSING', {
    what,
    why: `It is a delta on top of ${base}, and ${namesText(items.map(({ item }) => item.name))} can’t be completed without that.`,
    fix: `Bring ${base} to this registry first, or carry the bundle of the whole release.`,
    state: 'Nothing was pushed.',
    details,
  });
}

function namesText(names: readonly string[]): string {
  const shown = names.slice(0, 3);
  const rest = names.length - shown.length;
  return rest === 0 ? shown.join(', ') : `${shown.join(', ')} and ${String(rest)} more`;
}
