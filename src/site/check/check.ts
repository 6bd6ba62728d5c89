import type { ErrorCode } from '../../core/error-codes.ts';
import { isDeliverError, messageOf } from '../../core/errors.ts';

/** One thing that was looked at before anything is changed. */
export interface Check {
  /** Stable id: `ssh`, `sudo`, `platform`, `clock`, `disk`, `registry-name`, `registry-reach`, `containerd`, `containerd-mirrors` … */
  readonly id: string;
  /** What is checked, as a person says it: “clock”. */
  readonly title: string;
  /** Host of the site it is about; absent for the site as a whole. */
  readonly host?: string;
  readonly outcome: 'pass' | 'warn' | 'fail';
  /** What was found, with numbers. */
  readonly found?: string;
  readonly fix?: string;
  /** Every single finding, where `found` only counts them. */
  readonly details?: readonly string[];
  /** The error that made it fail, when it was one. */
  readonly code?: ErrorCode;
}

export type CheckFacts = Omit<Check, 'outcome' | 'id' | 'title'>;

/** The makers of one check's outcomes: `const disk = check('disk', 'free disk')`, then `disk.pass({host, found})`. */
export function check(id: string, title: string): Record<Check['outcome'], (facts?: CheckFacts) => Check> {
  const make =
    (outcome: Check['outcome']) =>
    (facts: CheckFacts = {}) => ({ id, title, outcome, ...facts });
  return { pass: make('pass'), warn: make('warn'), fail: make('fail') };
}

/** Runs a check that throws when it fails: what is found is the error's what and why, its code is kept. */
export async function checkThat(id: string, title: string, work: () => Promise<CheckFacts>, host?: string): Promise<Check> {
  const outcome = check(id, title);
  const named = host === undefined ? {} : { host };
  try {
    return outcome.pass({ ...named, ...(await work()) });
  } catch (error) {
    if (isDeliverError(error, 'E_INTERRUPTED', 'E_BUG')) throw error;
    return outcome.fail({ ...named, ...factsOf(error) });
  }
}

function factsOf(error: unknown): CheckFacts {
  if (!isDeliverError(error)) return { found: messageOf(error) };
  const { what, why, fix, details } = error.facts;
  const found = [what, why, ...(details ?? [])].filter((line) => line !== undefined).join(' · ');
  return { found, code: error.code, ...(fix === undefined ? {} : { fix }) };
}
