import type { DeliverError } from '../core/errors.ts';
import type { InstallResult } from './plan/types.ts';
import type { RepairResult } from './repair.ts';
import type { VerifyResult } from './verify.ts';

export interface InboxFacts {
  /** Where the delivery is now. */
  readonly path: string;
  readonly outcome: 'verified' | 'installed' | 'refused' | 'waiting';
  readonly verified: VerifyResult | undefined;
  readonly installed?: InstallResult | undefined;
  /** What was rebuilt before it was whole. */
  readonly mended?: RepairResult | undefined;
  readonly error?: DeliverError;
  readonly notes: readonly string[];
}

/** Lines kept of each list. */
const MOST = 200;

/** The `.report.json` beside a delivery: what it is, who signed it, what became of it and why. */
export function inboxReport({ path, outcome, verified, installed, mended, error, notes }: InboxFacts): object {
  const { what, why, fix, details = [] } = error?.facts ?? { what: '' };
  return {
    apiVersion: 'deliver/v1',
    kind: 'InboxReport',
    path,
    outcome,
    time: new Date().toISOString(),
    ...(verified === undefined ? {} : { delivery: { ...verified, path } }),
    ...(mended === undefined ? {} : { mended: { files: mended.files, leaves: mended.leaves } }),
    ...(installed === undefined ? {} : { install: installed }),
    ...(error === undefined ? {} : { error: { code: error.code, what, why, fix, details: details.slice(0, MOST) } }),
    notes: notes.slice(0, MOST),
  };
}
