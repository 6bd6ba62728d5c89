import type { Base } from '../bundle/base.ts';
import type { Bundle } from '../bundle/bundle.ts';
import { contentsOf } from '../bundle/contents.ts';
import { openBundle } from '../bundle/open-bundle.ts';
import { bytesText, countText } from '../core/amounts.ts';
import type { Digest } from '../core/digest.ts';
import type { Flow, Report, Step } from '../core/report.ts';
import { analysePackages } from '../inspect/analyse-packages.ts';
import { attestationsOf, findAttestations, type Attestation } from '../inspect/attestations.ts';
import { readAttestations } from '../inspect/read-attestations.ts';
import type { DeepImage, SharedBlob } from '../inspect/deep-image.ts';
import { readImageParts, type ImagePart } from '../inspect/image-parts.ts';
import { readManifests } from '../inspect/manifests.ts';
import type { PackageFacts } from '../inspect/merge-layers.ts';
import type { LockedImage } from '../lock/lock-schema.ts';
import { inspectOpened, type InspectResult } from './inspect.ts';
import { loadLocked } from './load-base.ts';

/** All that a bundle tells about itself: what the page and the bill of materials are made from. */
export interface DeepInspection {
  readonly summary: InspectResult;
  readonly images: readonly DeepImage[];
  /** Blobs that two or more images, charts or files need, biggest first. */
  readonly shared: readonly SharedBlob[];
  /** False when packages were not looked for. */
  readonly analysed: boolean;
  readonly since?: NewSince;
}

/** What a release brings that an earlier one did not have. */
export interface NewSince {
  readonly name: string;
  readonly version: string;
  readonly root: string;
  readonly known: ReadonlySet<Digest>;
  readonly newBlobs: number;
  readonly newBytes: number;
  readonly knownBytes: number;
}

export interface DeepInspectInput {
  readonly bundlePath: string;
  /** Lock or bundle of an earlier release. */
  readonly sincePath?: string;
  /** Reads every layer once. */
  readonly packages: boolean;
}

/** A file to be made of the inspection, and what it is called for a person. */
export interface InspectionOutput {
  readonly title: string;
  readonly path: string;
  readonly write: (inspection: DeepInspection) => Promise<void>;
}

export interface DeepInspectResult extends InspectResult {
  readonly written: readonly { readonly title: string; readonly path: string }[];
  /** What could not be analysed, image by image. */
  readonly notes: readonly string[];
}

/** Reads a bundle in place, layer by layer, and writes what was asked for. Nothing is unpacked to a disk. */
export function deepInspectFlow(input: DeepInspectInput, outputs: readonly InspectionOutput[]): Flow<DeepInspectResult> {
  let inspection: DeepInspection | undefined;
  const read: Step = {
    id: 'read',
    title: 'Bundle',
    async run(report, signal) {
      inspection = await inspectDeeply(input, report, signal);
      const count = new Set(inspection.images.flatMap(({ packages }) => [...packages].flatMap(([, facts]) => facts.packages)))
        .size;
      const images = `${countText(inspection.images.length, 'image')}, ${bytesText(inspection.summary.content)}`;
      return { summary: input.packages ? `${images}, ${countText(count, 'package')}` : images };
    },
  };
  const writing = outputs.map(({ title, path, write }, at): Step => ({
    id: at === 0 ? 'write' : `write-${String(at + 1)}`,
    title,
    async run() {
      await write(known(inspection));
      return { summary: path, changed: 1 };
    },
  }));
  return {
    steps: [read, ...writing],
    result: () => {
      const { summary, images } = known(inspection);
      const written = outputs.map(({ title, path }) => ({ title, path }));
      return { ...summary, written, notes: images.flatMap(notesOf) };
    },
  };
}

/** @throws DeliverError as `openBundle`, `loadLocked` and the layers that are read */
export async function inspectDeeply(input: DeepInspectInput, report: Report, signal: AbortSignal): Promise<DeepInspection> {
  const base = input.sincePath === undefined ? undefined : (await loadLocked(input.sincePath)).base;
  const bundle = await openBundle(input.bundlePath);
  try {
    const summary = inspectOpened(bundle);
    const read = await readImages(bundle, input.packages);
    const parts = read.flatMap((image) => image.parts);
    const packages = input.packages ? await analysePackages(bundle, parts, report, signal) : new Map<Digest, PackageFacts>();
    const images = read.map(({ image, ...own }, at): DeepImage => {
      const { reference, digest, neededBy } = image;
      const facts = own.parts.flatMap((part) => {
        const found = packages.get(part.digest);
        return found === undefined ? [] : [[part.digest, found] as const];
      });
      const { size = 0, unique = 0 } = summary.images[at] ?? {};
      return { reference, digest, neededBy, size, unique, ...own, packages: new Map(facts) };
    });
    const since = base === undefined ? {} : { since: newSince(bundle, base) };
    return { summary, images, shared: sharedBlobs(bundle), analysed: input.packages, ...since };
  } finally {
    await bundle.close();
  }
}

interface ReadImage {
  readonly image: LockedImage;
  readonly parts: readonly ImagePart[];
  readonly attestations: readonly Attestation[];
}

async function readImages(bundle: Bundle, deep: boolean): Promise<readonly ReadImage[]> {
  const manifests = await readManifests(bundle);
  const found = findAttestations(manifests, bundle.lock.images);
  const images: ReadImage[] = [];
  // One after the other: what an attestation says is in memory as a whole.
  for (const image of bundle.lock.images) {
    const own = attestationsOf(image, found);
    const attestations = deep ? await readAttestations(bundle, image, own) : own;
    images.push({ image, parts: await readImageParts(bundle, image, manifests), attestations });
  }
  return images;
}

function newSince({ lock }: Bundle, { name, version, root, digests }: Base): NewSince {
  const contents = contentsOf(lock);
  const fresh = contents.filter(({ digest }) => !digests.has(digest));
  const bytesOf = (blobs: typeof contents): number => blobs.reduce((sum, { size }) => sum + size, 0);
  return {
    name,
    version,
    root,
    known: digests,
    newBlobs: fresh.length,
    newBytes: bytesOf(fresh),
    knownBytes: bytesOf(contents) - bytesOf(fresh),
  };
}

function sharedBlobs({ lock }: Bundle): SharedBlob[] {
  return contentsOf(lock)
    .map(({ digest, size, mediaType, owners }) => {
      const users = [...new Set(owners.map((owner) => owner.replace(/, (?:blob \d+ of \d+|manifest.*)$/, '')))];
      return { digest, size, mediaType, users };
    })
    .filter(({ users }) => users.length > 1)
    .sort((a, b) => b.size - a.size || (a.digest < b.digest ? -1 : 1));
}

function notesOf({ reference, packages, attestations }: DeepImage): string[] {
  const unread = attestations.flatMap(({ digest, payload }) =>
    payload?.problem === undefined ? [] : [`attestation ${digest} was not read: ${payload.problem}`],
  );
  return [...[...packages.values()].flatMap(({ notes }) => notes), ...unread].map((note) => `${reference}: ${note}`);
}

function known(inspection: DeepInspection | undefined): DeepInspection {
  if (inspection === undefined) throw new Error('asked for the result before the bundle was read');
  return inspection;
}
