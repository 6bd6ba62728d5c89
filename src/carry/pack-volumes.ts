import { readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Destination } from '../bundle/destination.ts';
import { isSamePlan } from '../bundle/existing-bundle.ts';
import { openBundle } from '../bundle/open-bundle.ts';
import { openParts, type PartFile } from '../bundle/part-file.ts';
import type { BundlePlan } from '../bundle/plan.ts';
import type { SignatureBlob } from '../bundle/signature/signature-room.ts';
import { isDeliverError } from '../core/errors.ts';
import type { Report } from '../core/report.ts';
import { isSignedBy } from './carry-trust.ts';
import { STATE } from './check-leaves.ts';
import { manifestNames, planVolumes, type CarryLayout } from './layout.ts';
import { makeManifest, type CarryOptions } from './make-manifest.ts';
import { allVolumes, manifestBytes, parseCarry, type CarryManifest } from './manifest.ts';
import { openCarry } from './open-carry.ts';
import { PartFiles } from './part-files.ts';
import { canScan, scanSet } from './scan-set.ts';
import { makeRecords } from './split.ts';
import { keepCopy, refuseStale } from './write-carry.ts';

/**
 * Where a bundle is packed straight into the volumes of a carry set: blobs go to their places in `*.part` files; when all
 * are there the volumes are read once, for their hashes and their parity, and all files get their names.
 */
export class VolumeDestination implements Destination {
  readonly target: string;
  readonly #plan: BundlePlan;
  readonly #folder: string;
  readonly #options: CarryOptions;
  readonly #layout: CarryLayout;
  readonly #manifests: readonly [string, string];
  #carry: CarryManifest | undefined;

  /** @throws DeliverError E_USAGE when the volumes can't be cut so */
  constructor(plan: BundlePlan, folder: string, options: CarryOptions) {
    this.#plan = plan;
    this.#folder = folder;
    this.#options = options;
    this.#layout = planVolumes({ name: plan.fileName, size: plan.size }, options);
    this.#manifests = manifestNames(plan.fileName, options.names);
    this.target = join(folder, this.#manifests[0]);
  }

  /** The manifest of the set that was written, or found whole. */
  get carry(): CarryManifest | undefined {
    return this.#carry;
  }

  async existing(report: Report, signal: AbortSignal): Promise<readonly SignatureBlob[] | undefined> {
    await this.#endRenaming();
    await refuseStale(this.#folder, this.#layout);
    try {
      const signatures = await this.#wholeSet(report, signal);
      if (signatures !== undefined) await rm(this.#journal, { force: true });
      return signatures;
    } catch (error) {
      if (isDeliverError(error, 'E_CARRY', 'E_CARRY_DAMAGED', 'E_FILE_NOT_FOUND', 'E_FILE_UNREADABLE', 'E_BUNDLE'))
        return undefined;
      throw error;
    }
  }

  async open(report: Report, signal: AbortSignal): Promise<PartFile> {
    const { volumes, parity, volumeSize } = this.#layout;
    return openParts(this.#plan, {
      paths: volumes.map(({ name }) => join(this.#folder, `${name}.part`)),
      volumeSize,
      journalPath: this.#journal,
      more: parity.reduce((sum, { size }) => sum + size, 0),
      publish: (handles) => this.#publish(handles, report, signal),
    });
  }

  get #journal(): string {
    return `${this.target}.part.journal`;
  }

  async #publish(handles: readonly FileHandle[], report: Report, signal: AbortSignal): Promise<void> {
    const [first, last] = this.#manifests;
    const parts = new PartFiles(this.#folder);
    try {
      const manifestFile = await parts.create(first);
      const volumes = this.#layout.volumes.flatMap((volume, index) => {
        const handle = handles[index];
        if (handle === undefined) return [];
        parts.adopt(volume.name, handle);
        return [{ volume, path: join(this.#folder, `${volume.name}.part`), from: { descriptor: handle.fd, offset: 0 } }];
      });
      const parity = [];
      for (const volume of this.#layout.parity) parity.push({ volume, to: await parts.create(volume.name) });
      const records = await makeRecords(volumes, parity, {
        signal,
        report: {
          note: (line) => {
            report.note(line);
          },
          progress: (progress) => {
            report.progress({ ...progress, detail: parity.length === 0 ? 'hashes' : 'hashes and parity' });
          },
        },
      });
      const carry = await makeManifest(this.#plan.fileName, this.#plan, this.#layout, records, this.#options);
      const bytes = manifestBytes(carry);
      // A last manifest that can be read says that the volumes are on the disk: see #endRenaming.
      await Promise.all(parity.map(({ to }) => to.sync()));
      await manifestFile.writeFile(bytes);
      await parts.write(last, bytes);
      await parts.finish();
      await keepCopy(dirname(resolve(this.#folder)), this.#folder, carry, report);
      this.#carry = carry;
    } finally {
      await parts.close();
    }
  }

  /** Does what is left when an earlier run was killed while it gave the files their names. */
  async #endRenaming(): Promise<void> {
    const [first, last] = this.#manifests;
    const said = parseCarry(await readFile(join(this.#folder, `${last}.part`)).catch(() => new Uint8Array()));
    if (typeof said === 'string') return;
    const names = [first, ...allVolumes(said).map(({ name }) => name), last];
    const files = await Promise.all(
      names.map(async (name) => {
        const path = join(this.#folder, name);
        const [part, named] = await Promise.all([isFile(`${path}.part`), isFile(path)]);
        return { path, part, there: part || named };
      }),
    );
    if (files.some(({ there }) => !there)) return;
    for (const { path, part } of files) if (part) await rename(`${path}.part`, path);
  }

  /** The signatures of the bundle inside when the set in the folder is the one that is wanted, and whole. */
  async #wholeSet(report: Report, signal: AbortSignal): Promise<readonly SignatureBlob[] | undefined> {
    const set = await openCarry(this.target);
    try {
      const { carry, files } = set;
      const wanted = [...this.#layout.volumes, ...this.#layout.parity];
      const asWanted =
        allVolumes(carry)
          .map(({ name }) => name)
          .join() === wanted.map(({ name }) => name).join() &&
        carry.volumeSize === this.#layout.volumeSize &&
        carry.previous === this.#options.previous &&
        set.manifests.length === 2 &&
        this.#options.keys.every((key) => isSignedBy(carry, key)) &&
        files.every((file, index) => file?.name === wanted[index]?.name && file?.size === wanted[index]?.size);
      if (!asWanted || !canScan(set)) return undefined;
      const bundle = await openBundle(this.#folder);
      try {
        if (!isSamePlan(bundle, this.#plan)) return undefined;
        const { states, whole } = await scanSet(set, bundle.plan, report, signal);
        const isWhole = states.every((leaves) => leaves.every((state) => state === STATE.whole));
        if (!isWhole || [...bundle.blobs.keys()].some((digest) => !whole.has(digest))) return undefined;
        this.#carry = carry;
        return bundle.signatures;
      } finally {
        await bundle.close();
      }
    } finally {
      await set.close();
    }
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}
