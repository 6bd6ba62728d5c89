import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { certainSkew, momentOf, relativeTo, skewOf, skewText } from '../../../../src/site/check/clock.ts';
import { clockChecks } from '../../../../src/site/check/host.ts';

describe('clock skew', () => {
  it('is right within the error it states, however slow the way and the work are', () => {
    const span = fc.integer({ min: 0, max: 60_000 });
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), span, span, span, (ahead, there, work, back) => {
        const asked = 1_700_000_000_000;
        const began = asked + there + ahead;
        const skew = skewOf({ asked, began, ended: began + work, answered: asked + there + work + back });
        expect(Math.abs(skew.ahead - ahead)).toBeLessThanOrEqual(skew.error + 1e-6);
        expect(certainSkew(skew)).toBeLessThanOrEqual(Math.abs(ahead) + 1e-6);
      }),
    );
  });

  it('reads dates with and without nanoseconds', () => {
    expect(momentOf('1700000000123456789')).toBe(1_700_000_000_123);
    expect(momentOf('1700000000N')).toBe(1_700_000_000_000);
    expect(momentOf('1700000000%N')).toBe(1_700_000_000_000);
    expect(momentOf('')).toBeUndefined();
  });

  it('is told in words', () => {
    expect(skewText({ ahead: 41_200, error: 0 })).toBe('41 s ahead of');
    expect(skewText({ ahead: -2_340, error: 0 })).toBe('2.3 s behind');
    expect(skewText({ ahead: -30, error: 0 })).toBe('in step with');
    expect(skewText({ ahead: 600_000, error: 0 })).toBe('10 min ahead of');
    expect(relativeTo({ ahead: 5, error: 1 }, { ahead: -5, error: 2 })).toEqual({ ahead: 10, error: 3 });
  });

  it('warns from 5 s on, fails from 300 s on, and never on what a slow line may have added', () => {
    const at = (host: string, ahead: number, error = 10): { host: string; skew: { ahead: number; error: number } } => ({
      host,
      skew: { ahead, error },
    });
    const checks = clockChecks([at('cp1', 0), at('w1', 41_000), at('w2', 400_000), at('w3', 4_000), at('w4', 9_000, 8_000)]);
    expect(checks.map(({ host, outcome }) => [host, outcome])).toEqual([
      ['cp1', 'pass'],
      ['w1', 'warn'],
      ['w2', 'fail'],
      ['w3', 'pass'],
      ['w4', 'pass'],
    ]);
    expect(checks[1]?.found).toMatch(/^41 s ahead of cp1/);
  });

  it('only warns about this machine, which the cluster does not need', () => {
    expect(clockChecks([{ host: 'cp1', skew: { ahead: 3_600_000, error: 0 } }])).toMatchObject([
      { outcome: 'warn', found: 'this machine is 60 min behind cp1' },
    ]);
  });
});
