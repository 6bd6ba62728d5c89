import { isDeliverError } from '../core/errors.ts';
import type { Bundle } from './bundle.ts';
import type { Report } from '../core/report.ts';
import type { SignatureBlob } from './signature/signature-room.ts';
import { openBundle } from './open-bundle.ts';
import type { BundlePlan } from './plan.ts';
import { verifyBundle } from './verify-bundle.ts';

/**
 * Whether the file at `target` already is this bundle, whole to the last byte: the same root, and at least the planned
 * signatures (a gateway may have added its own; packing again must not lose it).
 * @returns the signatures it carries, undefined when it has to be packed
 */
export async function existingBundle(
  plan: BundlePlan,
  target: string,
  report: Report,
  signal: AbortSignal,
): Promise<readonly SignatureBlob[] | undefined> {
  try {
    const bundle = await openBundle(target);
    try {
      if (!isSamePlan(bundle, plan)) return undefined;
      return (await verifyBundle(bundle, report, signal)).length === 0 ? bundle.signatures : undefined;
    } finally {
      await bundle.close();
    }
  } catch (error) {
    if (isDeliverError(error, 'E_FILE_NOT_FOUND', 'E_FILE_UNREADABLE', 'E_BUNDLE')) return undefined;
    throw error;
  }
}

/** Whether a bundle is the one of the plan, with at least its signatures. */
export function isSamePlan(bundle: Pick<Bundle, 'root' | 'plan' | 'signatures'>, plan: BundlePlan): boolean {
  const carried = new Set(bundle.signatures.map(({ armored }) => armored));
  return (
    bundle.root.digest === plan.root.digest &&
    leavesOutTheSame(bundle.plan, plan) &&
    plan.signatures.every(({ armored }) => carried.has(armored))
  );
}

function leavesOutTheSame(a: BundlePlan, b: BundlePlan): boolean {
  const omitted = ({ delta }: BundlePlan): string => (delta?.omitted ?? []).map(({ digest }) => digest).join();
  return a.size === b.size && a.delta?.base.root === b.delta?.base.root && omitted(a) === omitted(b);
}
