import type { Bundle } from '../bundle/bundle.ts';
import { bytesOfText, countText } from '../core/amounts.ts';
import type { Digest } from '../core/digest.ts';
import { isDeliverError } from '../core/errors.ts';
import { inParallel } from '../core/in-parallel.ts';
import type { Report } from '../core/report.ts';
import { lackingError } from './push-lacking.ts';
import { measurePush, type BlobNeed, type PushNeed } from './push-need.ts';
import type { HarborApi, RegistryWriter } from './port.ts';
import { PushProgress } from './push-progress.ts';
import type { PushContent, PushPlan } from './push-plan.ts';

export interface PushInput {
  readonly bundle: Pick<Bundle, 'blobs' | 'bytes' | 'stream' | 'delta'>;
  readonly plan: PushPlan;
  readonly writer: RegistryWriter;
  /** When the registry is a Harbor: projects are made. */
  readonly harbor?: HarborApi;
  /** Uploads at a time; 4 when absent. */
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
  readonly projectsMade: number;
}

const DEFAULT_CONCURRENCY = 4;

/**
 * Brings what the registry lacks, straight from the bundle: projects, blobs (each sent once, mounted elsewhere), manifests, tags.
 * Nothing is tagged before everything is there; run again, it goes on with what is missing.
 * @throws DeliverError E_BUNDLE, E_BASE_MISSING, E_DIGEST, E_REGISTRY*, E_HARBOR, with what was done so far as its state
 */
export async function pushContent(input: PushInput, report: Report, signal: AbortSignal): Promise<PushResult> {
  const concurrency = input.concurrency ?? DEFAULT_CONCURRENCY;
  const need = await measurePush(input.plan, input, { concurrency, signal });
  const lacking = lackingError(input.bundle, need);
  if (lacking !== undefined) throw lacking;
  const progress = new PushProgress(report, need.bytes);
  const push: Push = { ...input, need, progress, concurrency, signal, tagged: 0, projectsMade: 0 };
  try {
    await makeProjects(push);
    await inParallel(inFileOrder(push), concurrency, signal, (blob, blobSignal) => placeBlob(push, blob, blobSignal));
    await putChildren(push);
    await putTags(push);
  } catch (error) {
    throw isDeliverError(error) ? error.with({ state: stateOf(push) }) : error;
  }
  return {
    ...progress.counts,
    presentBlobs: need.presentBlobs,
    taggedImages: push.tagged,
    presentImages: need.present.length,
    projectsMade: push.projectsMade,
  };
}

interface Push extends PushInput {
  readonly need: PushNeed;
  readonly progress: PushProgress;
  readonly concurrency: number;
  readonly signal: AbortSignal;
  tagged: number;
  projectsMade: number;
}

async function makeProjects(push: Push): Promise<void> {
  for (const project of push.need.projectsToMake) {
    push.signal.throwIfAborted();
    if ((await push.harbor?.ensureProject(project)) === true) push.projectsMade++;
  }
}

/** So that the bundle is read from front to back. */
function inFileOrder({ bundle, need }: Push): BlobNeed[] {
  const offset = (digest: Digest): number => bundle.blobs.get(digest)?.offset ?? 0;
  return [...need.blobs].sort((a, b) => offset(a.blob.digest) - offset(b.blob.digest));
}

async function placeBlob(push: Push, { blob, heldBy, wantedBy }: BlobNeed, signal: AbortSignal): Promise<void> {
  const { progress, writer } = push;
  let source = heldBy[0];
  for (const repository of wantedBy) {
    if (source !== undefined && (await writer.mountBlob(repository, blob.digest, source, signal))) {
      progress.mounted();
      continue;
    }
    // A registry that mounts nothing gets it twice; the total was counted for once.
    if (source !== undefined) progress.more(blob.size);
    await upload(push, repository, blob, signal);
    source ??= repository;
  }
}

async function upload(
  { bundle, writer, progress }: Push,
  repository: string,
  blob: PushContent,
  signal: AbortSignal,
): Promise<void> {
  progress.begun();
  try {
    await writer.putBlob(repository, blob, (memory) => bundle.stream(blob.digest, signal, memory), {
      signal,
      onBytes: (bytes) => {
        progress.sent(bytes);
      },
    });
    progress.pushed(blob.size);
  } finally {
    progress.ended();
  }
}

/** Before the indexes and tags that point to them. */
async function putChildren({ bundle, writer, need, concurrency, signal }: Push): Promise<void> {
  const children = new Map(
    need.items.flatMap(({ repository, children }) =>
      children.map((child) => [`${repository}@${child.digest}`, { repository, child }]),
    ),
  );
  await inParallel(children.values(), concurrency, signal, async ({ repository, child }, childSignal) => {
    await writer.putManifest(repository, child.digest, child.mediaType, await bundle.bytes(child.digest), childSignal);
  });
}

async function putTags(push: Push): Promise<void> {
  const { bundle, writer, need, concurrency, signal } = push;
  await inParallel(need.items, concurrency, signal, async ({ repository, tag, root }, tagSignal) => {
    await writer.putManifest(repository, tag, root.mediaType, await bundle.bytes(root.digest), tagSignal);
    push.tagged++;
  });
}

function stateOf({ need, progress, tagged }: Push): string {
  const { pushedBytes } = progress.counts;
  const arrived =
    need.bytes === 0
      ? 'No blob had to be sent'
      : `${bytesOfText(pushedBytes, Math.max(need.bytes, pushedBytes))} arrived and stay there`;
  const tags = tagged === 0 ? 'nothing was tagged' : `${String(tagged)} of ${countText(need.items.length, 'tag')} were set`;
  return `${arrived}; ${tags}. The same command goes on from here.`;
}
