import { expect } from 'vitest';
import type { ErrorCode } from '../../src/core/error-codes.ts';
import { isDeliverError } from '../../src/core/errors.ts';
import { ownEnvironment } from './own-environment.ts';

declare module 'vitest' {
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> {
    /**
     * The function threw, or the promise was rejected with, a DeliverError of this code:
     * `expect(() => parse('x')).toThrowWithCode('E_REFERENCE')`, `await expect(work()).rejects.toThrowWithCode('E_SSH')`.
     * With `text`, that text is in what, why, fix, state or the details.
     */
    toThrowWithCode(this: Assertion<R, T>, code: ErrorCode, text?: string | RegExp): R;
  }
}

ownEnvironment();

function caught(received: unknown): unknown {
  if (typeof received !== 'function') return received;
  try {
    (received as () => unknown)();
  } catch (error) {
    return error;
  }
  return undefined;
}

expect.extend({
  toThrowWithCode(received: unknown, code: ErrorCode, text?: string | RegExp) {
    const error = caught(received);
    if (!isDeliverError(error)) {
      return { pass: false, message: () => `expected a DeliverError ${code}, got ${this.utils.printReceived(error)}` };
    }
    const { what, why, fix, state, details } = error.facts;
    const all = [what, why, fix, state, ...(details ?? [])].filter((line) => line !== undefined).join('\n');
    const textFits = text === undefined || (typeof text === 'string' ? all.includes(text) : text.test(all));
    return {
      pass: error.code === code && textFits,
      message: () => `expected ${code}${text === undefined ? '' : ` with ${String(text)}`}, got ${error.code}:\n${all}`,
    };
  },
});
