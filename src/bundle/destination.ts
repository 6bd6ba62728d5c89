import type { Report } from '../core/report.ts';
import { existingBundle } from './existing-bundle.ts';
import { openPart, type PartFile } from './part-file.ts';
import type { BundlePlan } from './plan.ts';
import type { SignatureBlob } from './signature/signature-room.ts';

/** Where a bundle is written to: one file, or the volumes of a carry set. */
export interface Destination {
  /** The file that is locked, and that messages name. */
  readonly target: string;
  /** The signatures of what is there already, when it is the bundle of the plan, whole to the last byte. */
  existing(report: Report, signal: AbortSignal): Promise<readonly SignatureBlob[] | undefined>;
  open(report: Report, signal: AbortSignal): Promise<PartFile>;
}

/** One file. */
export function fileDestination(plan: BundlePlan, target: string): Destination {
  return {
    target,
    existing: (report, signal) => existingBundle(plan, target, report, signal),
    open: () => openPart(plan, target),
  };
}
