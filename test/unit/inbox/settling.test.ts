import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Settling } from '../../../src/inbox/settling.ts';

it('takes a file for finished only when nobody changed it for the whole time', () => {
  const look = fc.record({ size: fc.nat(3), mtimeMs: fc.nat(2) });
  fc.assert(
    fc.property(fc.array(fc.option(look, { nil: undefined }), { maxLength: 30 }), (looks) => {
      const settling = new Settling(3);
      let same = 0;
      for (const [now, one] of looks.entries()) {
        const before = looks[now - 1];
        const changed = before === undefined || one?.size !== before.size || one.mtimeMs !== before.mtimeMs;
        same = one === undefined ? 0 : changed ? 0 : same + 1;
        const settled = settling.update(new Map(one === undefined ? [] : [['a', one]]), now);
        expect(settled.has('a')).toBe(one !== undefined && same >= 3);
      }
    }),
    { seed: 7, numRuns: 1000 },
  );
});
