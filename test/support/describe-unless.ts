import { describe } from 'vitest';

type Rest = [tests: () => void] | [options: { readonly timeout: number }, tests: () => void];

/** `describe`, but skipped where something is missing, which its name then says. */
export function describeUnless(missing: string | undefined, name: string, ...rest: Rest): void {
  const [options, tests] = rest.length === 1 ? [{}, rest[0]] : rest;
  const title = missing === undefined ? name : `${name} (skipped: ${missing})`;
  describe.skipIf(missing !== undefined)(title, options, tests);
}
