import { basename, dirname, join } from 'node:path';
import { openBundle } from '../bundle/open-bundle.ts';
import { isCarrySet, openSource } from '../bundle/open-source.ts';
import type { Signer } from '../bundle/signature/check-signature.ts';
import type { NameStyle } from '../carry/layout.ts';
import { allVolumes, type CarryManifest } from '../carry/manifest.ts';
import { writeCarry } from '../carry/write-carry.ts';
import { bytesText, countText } from '../core/amounts.ts';
import type { Digest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import type { Flow, Step } from '../core/report.ts';
import { signersOf, type NamedKey, type SigningPorts } from './signing-keys.ts';

export interface SplitInput {
  readonly bundlePath: string;
  /** Folder of the carry set; `<bundle>.carry` beside the bundle when absent. */
  readonly outputFolder?: string;
  /** Bytes. */
  readonly volumeSize: number;
  readonly parity: number;
  readonly names: NameStyle;
  readonly previous?: Digest;
  /** OpenSSH ed25519 private keys. */
  readonly signKeyPaths?: readonly string[];
}

/** Sizes are bytes. */
export interface SplitResult {
  readonly folder: string;
  readonly id: string;
  readonly bundle: string;
  readonly size: number;
  readonly volumes: number;
  readonly parity: number;
  readonly volumeSize: number;
  readonly signers: readonly Signer[];
}

/** Cuts a bundle into the volumes of a carry set, in one pass over its bytes. */
export function splitFlow(input: SplitInput, ports: SigningPorts): Flow<SplitResult> {
  let result: SplitResult | undefined;
  const split: Step = {
    id: 'split',
    title: 'Split',
    async run(report, signal) {
      const path = input.bundlePath;
      if (await isCarrySet(path)) throw alreadySplit(path);
      const { names, parity, volumeSize, previous } = input;
      const keys = await signersOf(input.signKeyPaths ?? [], ports);
      const folder = input.outputFolder ?? join(dirname(path), `${basename(path).replace(/\.tar$/, '')}.carry`);
      const bundle = await openBundle(path);
      const opened = await openSource(path);
      try {
        const options = {
          names,
          parity,
          volumeSize,
          ...(previous === undefined ? {} : { previous }),
          keys: keys.map(({ key }) => key),
        };
        const carry = await writeCarry(bundle, basename(path), opened, folder, options, { report, signal });
        result = splitResult(carry, folder, keys);
      } finally {
        await opened.close();
        await bundle.close();
      }
      const and = result.parity === 0 ? '' : ` and ${countText(result.parity, 'parity volume')}`;
      return {
        summary: `${folder} · ${countText(result.volumes, 'volume')}${and} of ${bytesText(result.volumeSize)}`,
        changed: result.volumes,
      };
    },
  };
  return {
    steps: [split],
    result() {
      if (result === undefined) throw new DeliverError('E_BUG', { what: 'The result of split was asked for before it ran.' });
      return result;
    },
  };
}

/** What there is to say of a carry set that was written. */
export function splitResult(carry: CarryManifest, folder: string, keys: readonly NamedKey[]): SplitResult {
  return {
    folder,
    id: carry.id,
    bundle: carry.bundle.name,
    size: allVolumes(carry).reduce((sum, { size }) => sum + size, 0),
    volumes: carry.volumes.length,
    parity: carry.parity.volumes.length,
    volumeSize: Math.min(carry.volumeSize, carry.bundle.size),
    signers: keys.map(({ signer }) => signer),
  };
}

function alreadySplit(path: string): DeliverError {
  return new DeliverError('E_USAGE', {
    what: `${path} is a carry set already.`,
    fix: 'Give the bundle itself: one .tar file.',
  });
}
