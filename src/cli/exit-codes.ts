import { ERROR_CLASS, type ErrorClass, type ErrorCode } from '../core/error-codes.ts';

/** design.md, promise 9. */
const EXIT_CODE: Readonly<Record<ErrorClass, number>> = {
  usage: 2,
  input: 3,
  integrity: 4,
  remote: 5,
  preflight: 6,
  bug: 70,
  interrupted: 130,
};

/** Of `deliver status` when something that should be well is not. */
export const NOT_WELL = EXIT_CODE.remote;

/** The process exit code that goes with an error code. */
export function exitCodeOf(code: ErrorCode): number {
  return EXIT_CODE[ERROR_CLASS[code]];
}
