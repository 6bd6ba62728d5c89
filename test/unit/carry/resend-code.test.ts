import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeBase32, encodeBase32 } from '../../../src/carry/base32.ts';
import { parseResendCode, resendCode } from '../../../src/carry/resend-code.ts';
import { runsOf } from '../../../src/carry/runs.ts';
import { digestOf } from '../../../src/core/digest.ts';

const carry = { id: digestOf('a carry set') };
const leaves = fc.uniqueArray(fc.integer({ min: 0, max: 2_000_000 }), { minLength: 1, maxLength: 30 });

it('says again exactly what it was made of, however it is typed', () => {
  fc.assert(
    fc.property(leaves, fc.boolean(), (numbers, sloppy) => {
      const runs = runsOf(numbers);
      const code = resendCode(carry, runs);
      const typed = sloppy ? ` ${code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')} ` : code;
      expect(parseResendCode(typed)).toEqual({ mark: carry.id.slice(7, 13), runs });
    }),
    { seed: 1 },
  );
});

it('catches every wrong letter, every swap of neighbours, and letters that are left out', () => {
  const code = resendCode(carry, runsOf([3, 4, 5, 77, 90_000])).replaceAll('-', '');
  const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  for (let at = 0; at < code.length; at++) {
    for (const letter of alphabet) {
      if (letter === code[at]) continue;
      expect(() => parseResendCode(code.slice(0, at) + letter + code.slice(at + 1))).toThrowWithCode('E_RESEND_CODE');
    }
    const swapped =
      code.slice(0, at) +
      code
        .slice(at, at + 2)
        .split('')
        .reverse()
        .join('') +
      code.slice(at + 2);
    if (swapped !== code) expect(() => parseResendCode(swapped)).toThrowWithCode('E_RESEND_CODE');
    expect(() => parseResendCode(code.slice(0, at) + code.slice(at + 1))).toThrowWithCode('E_RESEND_CODE');
  }
});

it('is short enough for a phone: three MiBs in a gigabyte are six groups at most', () => {
  expect(resendCode(carry, runsOf([30, 340, 998])).split('-').length).toBeLessThanOrEqual(6);
});

it('refuses text that is no code at all', () => {
  for (const text of ['', 'HELLO', '0000-0000-0000-0000', 'U'.repeat(16), '💥'])
    expect(() => parseResendCode(text)).toThrowWithCode('E_RESEND_CODE');
});

it('writes any bytes as base32 and reads them back', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(decodeBase32(encodeBase32(bytes))).toEqual(Buffer.from(bytes));
    }),
    { seed: 2 },
  );
});
