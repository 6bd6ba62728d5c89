import type { ErrorCode } from './error-codes.ts';
import { redact } from './secret.ts';

/** What a person is told about a failure: what failed, why, what to do, and what state things are in now. */
export interface ErrorFacts {
  /** What failed, one sentence without the code. */
  readonly what: string;
  /** The cause, as far as it is known. */
  readonly why?: string;
  /** What to do next; a command where there is one. */
  readonly fix?: string;
  /** What was changed and what was not. */
  readonly state?: string;
  /** All single findings, when there is more than one (`file:line:col message`, a member name …). */
  readonly details?: readonly string[];
  readonly cause?: unknown;
}

/** The one error type that deliver throws on purpose. Anything else that escapes is a bug (exit 70). */
export class DeliverError extends Error {
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, facts: ErrorFacts) {
    super(facts.what, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'DeliverError';
    this.code = code;
    this.facts = facts;
  }

  /** The same error with facts added by a caller who knows more (state, fix). */
  with(more: Partial<ErrorFacts>): DeliverError {
    const error = new DeliverError(this.code, { ...this.facts, ...more });
    // Where it came from, not where more was said about it.
    if (this.stack !== undefined) error.stack = this.stack;
    return error;
  }
}

/** True for an error of ours, optionally with one of these codes. */
export function isDeliverError(error: unknown, ...codes: ErrorCode[]): error is DeliverError {
  return error instanceof DeliverError && (codes.length === 0 || codes.includes(error.code));
}

/** Letters of what a library, a server or a file says; parsers quote what they could not read, whole. */
const MOST_FOREIGN = 2000;

/** The message of anything that was thrown, or the beginning of it. */
export function messageOf(error: unknown): string {
  return excerpt(error instanceof Error ? error.message : String(error), MOST_FOREIGN);
}

/** The beginning of a text that somebody else wrote, with `…` where it was cut. */
export function excerpt(text: string, most: number): string {
  // Secrets first: one that is cut in two would not be known for one any more.
  const safe = text.length <= most ? text : redact(text);
  // Nor is a letter of two code units.
  return safe.length <= most ? safe : `${safe.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** The `code` property that Node puts on system errors (`ENOENT`, `ECONNREFUSED` …), looked up through `cause` too. */
export function systemCode(error: unknown): string | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const code = (at as NodeJS.ErrnoException).code;
    if (typeof code === 'string') return code;
  }
  return undefined;
}
