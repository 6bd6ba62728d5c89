import { expect, it } from 'vitest';
import { manifestNames, patchName, planVolumes } from '../../../src/carry/layout.ts';
import { parseVolumeSize, PROFILES } from '../../../src/carry/volume-size.ts';
import { pictureOf } from '../../../src/carry/picture.ts';
import { STATE } from '../../../src/carry/check-leaves.ts';

const GIB = 1024 ** 3;
const bundle = { name: 'gatekeeper-suite-3.6.2.tar', size: 4 * GIB + 5 };

it('cuts at whole MiBs, the last volume is what is left, parity volumes are full', () => {
  const { volumes, parity } = planVolumes(bundle, { volumeSize: GIB + 17, parity: 1, names: 'plain' });
  expect(volumes.map(({ size }) => size)).toEqual([GIB, GIB, GIB, GIB, 5]);
  expect(volumes[0]?.name).toBe('gatekeeper-suite-3.6.2.tar.v001');
  expect(parity).toEqual([{ name: 'gatekeeper-suite-3.6.2.tar.p001', size: GIB }]);
});

it('knows names that the oldest media take', () => {
  const { volumes, parity } = planVolumes(bundle, { volumeSize: GIB, parity: 1, names: '8.3' });
  const names = [...volumes, ...parity].map(({ name }) => name);
  const all = [...names, ...manifestNames(bundle.name, '8.3'), patchName(bundle.name, 'abcdef', '8.3')];
  expect(names.at(0)).toBe('gatek001.vol');
  expect(all.filter((name) => !/^[a-z0-9]{1,8}\.[a-z0-9]{1,3}$/.test(name))).toEqual([]);
  expect(new Set(all).size).toBe(all.length);
});

it('keeps below the limit of every profile', () => {
  expect(PROFILES.fat32).toBeLessThan(2 ** 32);
  for (const volumeSize of Object.values(PROFILES)) {
    const { volumes } = planVolumes({ name: 'x.tar', size: 1e11 }, { volumeSize, parity: 1, names: 'plain' });
    expect(Math.max(...volumes.map(({ size }) => size))).toBeLessThanOrEqual(volumeSize);
  }
});

it('refuses volumes below a MiB, and more volumes than the code can protect, saying what would do', () => {
  expect(() => planVolumes(bundle, { volumeSize: 1000, parity: 0, names: 'plain' })).toThrowWithCode('E_USAGE');
  expect(() => planVolumes(bundle, { volumeSize: 1024 ** 2, parity: 4, names: 'plain' })).toThrowWithCode('E_USAGE', '17M');
});

it.each([
  ['4G', 4 * GIB],
  ['700M', 700 * 1024 ** 2],
  ['4.6GB', 4.6e9],
  ['1GiB', GIB],
  ['4000000000', 4e9],
])('reads the size %s', (text, bytes) => {
  expect(parseVolumeSize(text)).toBe(bytes);
});

it.each(['', '4X', '-1', '1e3', 'G'])('refuses the size “%s”', (text) => {
  expect(() => parseVolumeSize(text)).toThrowWithCode('E_USAGE');
});

it('draws whole, damaged and missing', () => {
  const { whole, damaged, missing } = STATE;
  const leaves = (state: number): Uint8Array => new Uint8Array(64).fill(state);
  const torn = leaves(whole).fill(damaged, 28, 31);
  const volumes = ['a.tar.v001', 'a.tar.v002', 'a.tar.p001'].map((name) => ({
    name,
    damaged: 0,
    missing: 0,
    patched: 0,
    unmendable: 0,
  }));
  const [first, second, third] = volumes;
  if (first === undefined || second === undefined || third === undefined) throw new Error('no volumes');
  const lines = pictureOf([leaves(whole), torn, leaves(missing)], {
    volumes: [first, { ...second, damaged: 3 }, { ...third, missing: 64, unmendable: 2 }],
    bad: 67,
    mendable: false,
    resend: [],
  });
  expect(lines).toEqual([
    'v001 ████████████████████████████████ whole',
    'v002 ██████████████▒▒████████████████ 3 MiB damaged, mendable',
    'p001 ································ missing, 2 MiB not mendable',
  ]);
});
