import { Flags } from '@oclif/core';

/** How a bundle is cut into volumes: the same for `pack` and `split`. The profiles are those of carry/volume-size.ts. */
export const volumeFlags = {
  'volume-size': Flags.string({ helpValue: 'SIZE', description: 'bytes of a volume: 4G, 700M, 4.6GB', exclusive: ['profile'] }),
  profile: Flags.string({
    options: ['fat32', 'dvd', 'bd25', 'av2g', 'diode-1g'],
    helpValue: 'NAME',
    description: 'volume size that a medium or gateway takes: fat32, dvd, bd25, av2g or diode-1g',
  }),
  parity: Flags.integer({
    default: 0,
    min: 0,
    max: 128,
    helpValue: 'K',
    description: 'parity volumes: so many lost volumes can be mended',
  }),
  names: Flags.string({
    default: 'plain',
    options: ['plain', '8.3'],
    helpValue: 'plain|8.3',
    description: '8.3: short lower-case file names',
  }),
  previous: Flags.string({ helpValue: 'ID', description: 'id of the carry set before this one' }),
};
