import type { DeliverError } from '../core/errors.ts';
import type { InstallResult } from './plan-types.ts';
import type { VerifyResult } from './verify.ts';

export interface InboxFacts {
  /** Where the delivery is now. */
  readonly path: string;
  readonly outcome: 'verified' | 'installed' | 'refused';
  readonly verified: VerifyResult | undefined;
  readonly installed?: InstallResult | undefined;
  readonly error?: DeliverError;
  readonly notes: readonly string[];
}

/** Lines kept of each list. */
const MOST = 200;

/** The `.report.json` beside a delivery: what it is, who signed it, what became of it and why. */
export function inboxReport({ path, outcome, verified, installed, error, notes }: InboxFacts): object {
  const { what, why, fix, details = [] } = error?.facts ?? { what: '' };
  return {
    apiVersion: 'deliver/v1',
    kind: 'InboxReport',
    path,
    outcome,
    time: new Date().toISOString(),
    ...(verified === undefined ? {} : { delivery: { ...verified, path } }),
    ...(installed === undefined ? {} : { install: installed }),
    ...(error === undefined ? {} : { error: { code: error.code, what, why, fix, details: details.slice(0, MOST) } }),
    notes: notes.slice(0, MOST),
  };
}
