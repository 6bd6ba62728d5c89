import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import type { Bundle } from '../bundle/bundle.ts';
import type { ByteSource } from '../bundle/byte-source.ts';
import { needSpace, outputError } from '../bundle/output-error.ts';
import { lockOutput } from '../bundle/pack-lock.ts';
import type { SigningKey } from '../bundle/sign.ts';
import { DeliverError } from '../core/errors.ts';
import type { Digest } from '../core/digest.ts';
import type { Report } from '../core/report.ts';
import { signCarry } from './carry-trust.ts';
import { manifestNames, planVolumes, type CarryLayout, type VolumeOptions } from './layout.ts';
import { manifestBytes, parityOf, withId, type CarryManifest } from './manifest.ts';
import { PartFiles } from './part-files.ts';
import { markOf } from './resend-code.ts';
import { splitSource } from './split.ts';

export interface CarryOptions extends VolumeOptions {
  /** Id of the carry before this one. */
  readonly previous?: Digest;
  readonly keys: readonly SigningKey[];
}

/**
 * Writes the carry set of a bundle into a folder: every file under `*.part` until all are whole and on the disk, then
 * carry manifest, volumes, parity, carry manifest again. A copy of the carry manifest stays beside the bundle: a resend
 * needs it when the volumes are long gone.
 * @throws DeliverError E_USAGE, E_DISK_FULL, E_OUTPUT
 */
export async function writeCarry(
  bundle: Bundle,
  name: string,
  source: ByteSource,
  folder: string,
  options: CarryOptions,
  work: { readonly report: Report; readonly signal: AbortSignal },
): Promise<CarryManifest> {
  const layout = planVolumes({ name, size: source.size }, options);
  const [first, last] = manifestNames(name, options.names);
  const target = join(folder, first);
  let unlock: (() => Promise<void>) | undefined;
  const parts = new PartFiles(folder);
  try {
    await mkdir(folder, { recursive: true });
    unlock = await lockOutput(target);
    await refuseStale(folder, layout);
    await needSpace(
      target,
      [...layout.volumes, ...layout.parity].reduce((sum, { size }) => sum + size, 0),
    );
    const manifestFile = await parts.create(first);
    const { volumes, parity } = await splitSource(source, layout, { ...work, create: (file) => parts.create(file) });
    const body = withId({
      apiVersion: 'deliver-carry/v1',
      bundle: { name, size: source.size },
      leafSize: 1024 * 1024,
      parity: parityOf(parity),
      ...(options.previous === undefined ? {} : { previous: options.previous }),
      release: { name: bundle.lock.metadata.name, version: bundle.lock.metadata.version },
      root: bundle.root.digest,
      volumeSize: layout.volumeSize,
      volumes: [...volumes],
    });
    const unsigned: CarryManifest = { ...body, signatures: [] };
    const carry = options.keys.reduce(signCarry, unsigned);
    const bytes = manifestBytes(carry);
    await manifestFile.writeFile(bytes);
    await parts.write(last, bytes);
    await parts.finish();
    await keepCopy(bundle.path, folder, carry, bytes);
    return carry;
  } catch (error) {
    throw outputError(target, error);
  } finally {
    await parts.close();
    await unlock?.();
  }
}

/** Volumes of an earlier cut that this one does not write anew would look like its own. */
async function refuseStale(folder: string, layout: CarryLayout): Promise<void> {
  const planned = new Set([...layout.volumes, ...layout.parity].map(({ name }) => name));
  const pattern = (name: string): string =>
    name
      .replace(/\d{3,}(?=\.(?:vol|par)$|$)/, '#')
      .replace(/\.p#$/, '.v#')
      .replace(/\.par$/, '.vol');
  const kinds = new Set([...planned].map(pattern));
  const stale = (await readdir(folder)).filter((name) => name.includes('.') && kinds.has(pattern(name)) && !planned.has(name));
  if (stale.length === 0) return;
  throw new DeliverError('E_OUTPUT', {
    what: `${folder} holds volumes of another cut of this bundle.`,
    fix: 'Remove them, or choose another folder with --output.',
    state: 'Nothing was written.',
    details: stale,
  });
}

async function keepCopy(bundlePath: string, folder: string, carry: CarryManifest, bytes: Uint8Array): Promise<void> {
  const beside = dirname(resolve(bundlePath));
  if (relative(beside, resolve(folder)) === '') return;
  const [name] = manifestNames(carry.bundle.name, 'plain');
  const copy = new PartFiles(beside);
  try {
    await copy.write(name.replace(/carry\.json$/, `${markOf(carry)}.carry.json`), bytes);
    await copy.finish();
  } finally {
    await copy.close();
  }
}
