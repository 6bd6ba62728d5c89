import { describe, expect, it } from 'vitest';
import { DeliverError } from '../../../src/core/errors.ts';
import { within } from '../../../src/ssh/deadline.ts';

const forever = new Promise<never>(() => undefined);
const late = (): DeliverError => new DeliverError('E_SSH', { what: 'late' });

describe('within', () => {
  it('gives what the work gives', async () => {
    expect(await within(Promise.resolve(7), { timeout: 1000, what: 'work', onTimeout: late })).toBe(7);
    await expect(within(Promise.reject(new Error('x')), { timeout: 1000, what: 'work', onTimeout: late })).rejects.toThrow('x');
  });

  it('cancels the work once when time is up', async () => {
    let cancelled = 0;
    const work = within(forever, { timeout: 1, what: 'work', onTimeout: late, cancel: () => (cancelled += 1) });
    await expect(work).rejects.toThrowWithCode('E_SSH');
    expect(cancelled).toBe(1);
  });

  it('cancels the work on a signal, also one that came before', async () => {
    const controller = new AbortController();
    const work = within(forever, { timeout: 60_000, signal: controller.signal, what: 'work', onTimeout: late });
    controller.abort();
    await expect(work).rejects.toThrowWithCode('E_INTERRUPTED');
    const again = within(forever, { timeout: 60_000, signal: controller.signal, what: 'work', onTimeout: late });
    await expect(again).rejects.toThrowWithCode('E_INTERRUPTED');
  });
});
