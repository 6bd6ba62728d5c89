import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import type { Bundle } from '../bundle/bundle.ts';
import type { OpenSource } from '../bundle/open-source.ts';
import { needSpace, outputError } from '../bundle/output-error.ts';
import { lockOutput } from '../bundle/pack-lock.ts';
import { DeliverError, systemCode } from '../core/errors.ts';
import type { Report } from '../core/report.ts';
import { manifestNames, planVolumes, type CarryLayout } from './layout.ts';
import { makeManifest, type CarryOptions } from './make-manifest.ts';
import { areNames, manifestBytes, type CarryManifest } from './manifest.ts';
import { PartFiles } from './part-files.ts';
import { markOf } from './resend-code.ts';
import { splitSource } from './split.ts';

/**
 * Writes the carry set of a bundle into a folder: every file under `*.part` until all are whole and on the disk, then
 * carry manifest, volumes, parity, carry manifest again. A copy of the carry manifest stays beside the bundle: a resend
 * needs it when the volumes are long gone.
 * @throws DeliverError E_USAGE, E_DISK_FULL, E_OUTPUT
 */
export async function writeCarry(
  bundle: Bundle,
  name: string,
  opened: Pick<OpenSource, 'source' | 'place'>,
  folder: string,
  options: CarryOptions,
  work: { readonly report: Report; readonly signal: AbortSignal },
): Promise<CarryManifest> {
  const layout = planVolumes({ name, size: opened.source.size }, options);
  refuseNames(name, layout);
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
    const records = await splitSource(opened, bundle.path, layout, { ...work, create: (file) => parts.create(file) });
    const { lock, root } = bundle;
    const carry = await makeManifest(name, { lock, root, size: opened.source.size }, layout, records, options);
    const bytes = manifestBytes(carry);
    await manifestFile.writeFile(bytes);
    await parts.write(last, bytes);
    await parts.finish();
    await keepCopy(dirname(resolve(bundle.path)), folder, carry, work.report);
    return carry;
  } catch (error) {
    throw outputError(target, error);
  } finally {
    await parts.close();
    await unlock?.();
  }
}

/** What every reader of a carry set would refuse is not written. @throws DeliverError E_USAGE */
function refuseNames(bundle: string, { volumes, parity }: CarryLayout): void {
  const files = [...volumes, ...parity].map(({ name }) => name);
  if (areNames(bundle, files)) return;
  throw new DeliverError('E_USAGE', {
    what: `A carry set can’t be made of a file with this name: ${JSON.stringify(bundle)}`,
    why: 'It is too long, or holds characters that can’t be shown: no reader takes such a name.',
    fix: 'Rename the bundle, to NAME-VERSION.tar for example, and split it then: what is in it stays the same.',
    state: 'Nothing was written.',
  });
}

/** Volumes of an earlier cut that this one does not write anew would look like its own. @throws DeliverError E_OUTPUT */
export async function refuseStale(folder: string, layout: CarryLayout): Promise<void> {
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

/** What a medium says that can't be written, or is somebody else's. */
const NOT_OURS = new Set(['EROFS', 'EACCES', 'EPERM']);

/**
 * Leaves a copy of the carry manifest in another folder than that of the volumes. Where that can't be written the set is
 * whole all the same: it is said what a resend will need.
 */
export async function keepCopy(beside: string, folder: string, carry: CarryManifest, report: Report): Promise<void> {
  if (relative(beside, resolve(folder)) === '') return;
  const [name] = manifestNames(carry.bundle.name, 'plain');
  const copy = new PartFiles(beside);
  try {
    await copy.write(name.replace(/carry\.json$/, `${markOf(carry)}.carry.json`), manifestBytes(carry));
    await copy.finish();
  } catch (error) {
    if (!NOT_OURS.has(systemCode(error) ?? '')) throw error;
    report.note(`${beside} can’t be written: keep a copy of the carry manifest for deliver resend --carry.`);
  } finally {
    await copy.close();
  }
}
