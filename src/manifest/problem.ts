import type { ErrorCode } from '../core/error-codes.ts';
import { DeliverError } from '../core/errors.ts';

/** Steps from the top of a document to a value: `['apps', 0, 'image']`. */
export type JsonPath = readonly (string | number)[];

/** One thing that is wrong with a file. */
export interface Problem {
  readonly path: JsonPath;
  readonly message: string;
  /** E_SCHEMA when absent. */
  readonly code?: ErrorCode;
}

/** The state after a bad file; only verbs that write show it (cli/known-error.ts). */
export const NOTHING_WRITTEN = 'Nothing was written.';

/** Turns a path into `file:line:col`. */
export type PositionOf = (path: JsonPath) => string;

/** `apps[0].env.REDIS`; a key that would be misread is put in brackets. */
export function pathText(path: JsonPath): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${String(step)}]`;
      if (!/^[A-Za-z0-9_-]+$/.test(step)) return `[${JSON.stringify(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
}

/**
 * Throws when there is any problem, with all of them as `file:line:col  path: message` in details, in file order.
 * @throws DeliverError with the code that all problems share, else E_SCHEMA
 */
export function refuse(file: string, problems: readonly Problem[], positionOf: PositionOf): void {
  if (problems.length === 0) return;
  const codes = new Set(problems.map((problem) => problem.code ?? 'E_SCHEMA'));
  const [only] = codes;
  const lines = problems.map((problem) => {
    const path = pathText(problem.path);
    return `${positionOf(problem.path)}  ${path === '' ? '' : `${path}: `}${problem.message}`;
  });
  const details = [...new Set(lines)].sort(byPosition);
  const count = details.length === 1 ? 'a problem' : `${details.length} problems`;
  throw new DeliverError(codes.size === 1 && only !== undefined ? only : 'E_SCHEMA', {
    what: `${file} has ${count}.`,
    details,
    state: NOTHING_WRITTEN,
  });
}

/** Orders lines that begin with `file:line:col  ` by their place. */
export function byPosition(a: string, b: string): number {
  const [lineA, columnA] = place(a);
  const [lineB, columnB] = place(b);
  return lineA - lineB || columnA - columnB;
}

function place(text: string): [number, number] {
  const match = /:(\d+):(\d+) {2}/.exec(text);
  return [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
}
