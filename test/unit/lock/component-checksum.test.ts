import { describe, expect, it } from 'vitest';
import { checksumsIn } from '../../../src/lock/component-checksum.ts';

const A = 'a'.repeat(64);
const B = 'B'.repeat(64);

describe('a checksum file', () => {
  it.each([
    ['a bare checksum', `${A}\n`, [['', A]]],
    [
      'sha256sum’s lines',
      `${A}  runc.amd64\n${B} *./dist/runc.arm64\r\n`,
      [
        ['runc.amd64', A],
        ['runc.arm64', B.toLowerCase()],
      ],
    ],
    ['BSD’s lines', `SHA256 (crictl.tar.gz) = ${A}\n`, [['crictl.tar.gz', A]]],
    ['comments and other checksums', `# sums\n${'c'.repeat(32)}  x\n${A}  y\n`, [['y', A]]],
    ['a page that says something else', '<html>not here</html>', []],
  ])('is read as %s', (_, text, expected) => {
    expect(checksumsIn(text, 'sha256').map(({ name, hex }) => [name, hex])).toEqual(expected);
  });

  it('is read as Harbor’s md5sum', () => {
    const hex = '0123456789abcdef0123456789abcdef';
    expect(checksumsIn(`${hex}  harbor-offline-installer-v2.14.0.tgz\n`, 'md5')).toEqual([
      { name: 'harbor-offline-installer-v2.14.0.tgz', hex },
    ]);
  });
});
