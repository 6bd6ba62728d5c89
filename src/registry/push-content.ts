import type { Bundle } from '../bundle/bundle.ts';
import { bytesOfText, countText } from '../core/amounts.ts';
import { isDeliverError } from '../core/errors.ts';
import { inParallel } from '../core/in-parallel.ts';
import { Lanes } from '../core/lanes.ts';
import type { Report } from '../core/report.ts';
import { lackingError } from './push-lacking.ts';
import { measurePush, type BlobNeed, type PushNeed } from './push-need.ts';
import type { HarborApi, PushWriter, RegistryWriter } from './port.ts';
import { PushProgress } from './push-progress.ts';
import type { PushContent, PushItem, PushPlan } from './push-plan.ts';
import { isReference, linkReferrers } from './push-referrers.ts';

export interface PushInput {
  readonly bundle: Pick<Bundle, 'blobs' | 'bytes' | 'stream' | 'delta'>;
  readonly plan: PushPlan;
  readonly writer: RegistryWriter;
  /** When the registry is a Harbor: projects are made. */
  readonly harbor?: HarborApi;
  /** Asked for, once the projects are there, when there is something to push: an account for this push alone. */
  readonly openWriter?: () => Promise<PushWriter | undefined>;
  /** Uploads at a time; when absent as many as the way to the registry can use. */
  readonly concurrency?: number;
}

export interface PushResult {
  readonly pushedBlobs: number;
  /** Bytes of the blobs that were sent, each counted once. */
  readonly pushedBytes: number;
  readonly presentBlobs: number;
  readonly mountedBlobs: number;
  /** References (images and charts) that were tagged now. */
  readonly taggedImages: number;
  /** References that were whole already. */
  readonly presentImages: number;
  /** Signatures and the like, and lists of them, that were put now. */
  readonly putReferrers: number;
  readonly projectsMade: number;
}

const FIRST_UPLOADS = 4;
/** Each upload holds 1 MiB of the bundle, and what its socket holds. */
const MOST_UPLOADS = 24;
/** Manifests at a time: they are small, what they cost is the way there and back. */
const MANIFESTS = 16;
/** Mounts of one blob at a time. */
const MOUNTS = 4;

/**
 * Brings what the registry lacks, straight from the bundle: projects, blobs (each sent once, mounted elsewhere), manifests, tags.
 * Nothing is tagged before everything is there; run again, it goes on with what is missing.
 * @throws DeliverError E_BUNDLE, E_BASE_MISSING, E_DIGEST, E_REGISTRY*, E_HARBOR, with what was done so far as its state
 */
export async function pushContent(input: PushInput, report: Report, signal: AbortSignal): Promise<PushResult> {
  const { concurrency } = input;
  const lanes = new Lanes(concurrency ?? FIRST_UPLOADS, concurrency ?? MOST_UPLOADS);
  const need = await measurePush(input.plan, input, { signal });
  const lacking = lackingError(input.bundle, need);
  if (lacking !== undefined) throw lacking;
  const progress = new PushProgress(report, need.bytes);
  const push: Push = { ...input, need, progress, lanes, signal, tagged: 0, putReferrers: 0, projectsMade: 0 };
  let own: PushWriter | undefined;
  try {
    await makeProjects(push);
    own = need.items.length === 0 ? undefined : await input.openWriter?.();
    push.writer = own?.writer ?? input.writer;
    await inParallel(largestFirst(need), lanes.most, signal, (blob, blobSignal) => placeBlob(push, blob, blobSignal));
    await putChildren(push);
    await putTags(push, isReference);
    await putTags(push, (item) => !isReference(item));
    push.putReferrers += await linkReferrers(push.plan, push.bundle, push.writer, signal);
  } catch (error) {
    throw isDeliverError(error) ? error.with({ state: stateOf(push) }) : error;
  } finally {
    await own?.close();
  }
  return {
    ...progress.counts,
    presentBlobs: need.presentBlobs,
    taggedImages: push.tagged,
    presentImages: need.present.filter(isReference).length,
    putReferrers: push.putReferrers,
    projectsMade: push.projectsMade,
  };
}

interface Push extends PushInput {
  writer: RegistryWriter;
  readonly need: PushNeed;
  readonly progress: PushProgress;
  readonly lanes: Lanes;
  readonly signal: AbortSignal;
  tagged: number;
  putReferrers: number;
  projectsMade: number;
}

async function makeProjects(push: Push): Promise<void> {
  for (const project of push.need.projectsToMake) {
    push.signal.throwIfAborted();
    if ((await push.harbor?.ensureProject(project)) === true) push.projectsMade++;
  }
}

/** So that at the end no upload is left alone with a large one. */
function largestFirst({ blobs }: PushNeed): BlobNeed[] {
  return [...blobs].sort((a, b) => b.blob.size - a.blob.size);
}

async function placeBlob(push: Push, need: BlobNeed, signal: AbortSignal): Promise<void> {
  const { blob, heldBy, wantedBy } = need;
  const [held] = heldBy;
  const [first, ...others] = wantedBy;
  if (held !== undefined) await mountOrUpload(push, blob, held, wantedBy, signal);
  else if (first !== undefined) {
    await upload(push, first, blob, signal);
    await mountOrUpload(push, blob, first, others, signal);
  }
}

async function mountOrUpload(
  push: Push,
  blob: PushContent,
  source: string,
  repositories: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { progress, writer } = push;
  await inParallel(repositories, MOUNTS, signal, async (repository, mountSignal) => {
    if (await writer.mountBlob(repository, blob.digest, source, mountSignal)) {
      progress.mounted();
      return;
    }
    // A registry that mounts nothing gets it twice; the total was counted for once.
    progress.more(blob.size);
    await upload(push, repository, blob, mountSignal);
  });
}

async function upload(
  { bundle, writer, progress, lanes }: Push,
  repository: string,
  blob: PushContent,
  signal: AbortSignal,
): Promise<void> {
  await lanes.take(signal);
  progress.begun();
  try {
    await writer.putBlob(repository, blob, (memory) => bundle.stream(blob.digest, signal, memory), {
      signal,
      onBytes: (bytes) => {
        progress.sent(bytes);
        lanes.moved(bytes);
      },
    });
    progress.pushed(blob.size);
  } finally {
    progress.ended();
    lanes.free();
  }
}

/** Before the indexes and tags that point to them. */
async function putChildren({ bundle, writer, need, signal }: Push): Promise<void> {
  const children = new Map(
    need.items.flatMap(({ repository, children }) =>
      children.map((child) => [`${repository}@${child.digest}`, { repository, child }]),
    ),
  );
  await inParallel(children.values(), MANIFESTS, signal, async ({ repository, child }, childSignal) => {
    await writer.putManifest(repository, child.digest, child.mediaType, await bundle.bytes(child.digest), childSignal);
  });
}

/** Images and charts first, then what refers to them. */
async function putTags(push: Push, which: (item: PushItem) => boolean): Promise<void> {
  const { bundle, writer, need, signal } = push;
  await inParallel(need.items.filter(which), MANIFESTS, signal, async (item, tagSignal) => {
    const { repository, tag, root } = item;
    await writer.putManifest(repository, tag, root.mediaType, await bundle.bytes(root.digest), tagSignal);
    if (isReference(item)) push.tagged++;
    else push.putReferrers++;
  });
}

function stateOf({ need, progress, tagged }: Push): string {
  const { pushedBytes } = progress.counts;
  const arrived =
    need.bytes === 0
      ? 'No blob had to be sent'
      : `${bytesOfText(pushedBytes, Math.max(need.bytes, pushedBytes))} arrived and stay there`;
  const tags =
    tagged === 0
      ? 'nothing was tagged'
      : `${String(tagged)} of ${countText(need.items.filter(isReference).length, 'tag')} were set`;
  return `${arrived}; ${tags}. The same command goes on from here.`;
}
