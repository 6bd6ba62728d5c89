import type { Digest } from '../core/digest.ts';
import { inParallel } from '../core/in-parallel.ts';
import type { HarborApi, RegistryWriter } from './port.ts';
import type { PushContent, PushItem, PushPlan } from './push-plan.ts';

/** One blob that some repository lacks. */
export interface BlobNeed {
  readonly blob: PushContent;
  /** Repositories that hold it: it can be mounted from there. */
  readonly heldBy: readonly string[];
  /** Repositories that lack it, at least one. */
  readonly wantedBy: readonly string[];
}

/** What a push would do now. */
export interface PushNeed {
  /** Whole and tagged already. */
  readonly present: readonly PushItem[];
  readonly items: readonly PushItem[];
  /** Those of `items` whose tag is there with another content. */
  readonly moved: readonly PushItem[];
  readonly blobs: readonly BlobNeed[];
  /** Blobs of `items` that are where they are wanted. */
  readonly presentBlobs: number;
  /** Bytes that must be sent: each missing blob once. */
  readonly bytes: number;
  readonly projectsToMake: readonly string[];
}

/** Requests at a time: they are small, what they cost is the way there and back. */
const HEADS = 32;

/** Asks the registry what it has. Read-only. @throws DeliverError E_REGISTRY*, E_HARBOR */
export async function measurePush(
  plan: PushPlan,
  registry: { readonly writer: RegistryWriter; readonly harbor?: HarborApi },
  options: { readonly signal?: AbortSignal } = {},
): Promise<PushNeed> {
  const { writer, harbor } = registry;
  const { signal } = options;

  const missing = new Set<string>();
  if (harbor !== undefined) {
    await inParallel(plan.projects, HEADS, signal, async (project) => {
      if (!(await harbor.hasProject(project))) missing.add(project);
    });
  }
  const reachable = ({ project }: PushItem): boolean => !missing.has(project);

  const present = new Set<PushItem>();
  const moved = new Set<PushItem>();
  await inParallel(plan.items.filter(reachable), HEADS, signal, async (item, itemSignal) => {
    // A tag is set last, so what it points to is whole.
    const found = await writer.headManifest(item.repository, item.tag, itemSignal);
    if (found === item.root.digest) present.add(item);
    else if (found !== undefined) moved.add(item);
  });

  const items = plan.items.filter((item) => !present.has(item));
  const pairs = pairsOf(items);
  const known = new Set(items.filter(reachable).map(({ repository }) => repository));
  await inParallel(
    pairs.filter(({ repository }) => known.has(repository)),
    HEADS,
    signal,
    async (pair, pairSignal) => {
      pair.held = await writer.hasBlob(pair.repository, pair.blob.digest, pairSignal);
    },
  );
  const blobs = needsOf(pairs, await pairsElsewhere(pairs, [...present], { writer, signal }));
  return {
    present: [...present],
    items,
    moved: items.filter((item) => moved.has(item)),
    blobs,
    presentBlobs: pairs.filter(({ held }) => held).length,
    bytes: blobs.filter(({ heldBy }) => heldBy.length === 0).reduce((sum, { blob }) => sum + blob.size, 0),
    projectsToMake: plan.projects.filter((project) => missing.has(project)),
  };
}

interface Pair {
  readonly repository: string;
  readonly blob: PushContent;
  held: boolean;
}

/**
 * Blobs that no repository holds that wants them, looked for where an image that is whole already has them: they are
 * mounted from there.
 */
async function pairsElsewhere(
  pairs: readonly Pair[],
  present: readonly PushItem[],
  { writer, signal }: { readonly writer: RegistryWriter; readonly signal: AbortSignal | undefined },
): Promise<readonly Pair[]> {
  const held = new Set(pairs.filter((pair) => pair.held).map(({ blob }) => blob.digest));
  const sought = new Set(pairs.map(({ blob }) => blob.digest).filter((digest) => !held.has(digest)));
  const elsewhere = pairsOf(present).filter(({ blob }) => sought.has(blob.digest));
  await inParallel(elsewhere, HEADS, signal, async (pair, pairSignal) => {
    pair.held = await writer.hasBlob(pair.repository, pair.blob.digest, pairSignal);
  });
  return elsewhere.filter((pair) => pair.held);
}

/** Each blob once per repository. */
function pairsOf(items: readonly PushItem[]): Pair[] {
  const pairs = new Map<string, Pair>();
  for (const { repository, blobs } of items) {
    for (const blob of blobs) {
      const key = `${repository}@${blob.digest}`;
      if (!pairs.has(key)) pairs.set(key, { repository, blob, held: false });
    }
  }
  return [...pairs.values()];
}

/** @param elsewhere blobs of what is whole already: they can be mounted from there */
function needsOf(pairs: readonly Pair[], elsewhere: readonly Pair[]): BlobNeed[] {
  const byDigest = new Map<Digest, { blob: PushContent; heldBy: string[]; wantedBy: string[] }>();
  for (const { repository, blob, held } of pairs) {
    const need = byDigest.get(blob.digest) ?? { blob, heldBy: [], wantedBy: [] };
    byDigest.set(blob.digest, need);
    (held ? need.heldBy : need.wantedBy).push(repository);
  }
  for (const { repository, blob } of elsewhere) {
    const need = byDigest.get(blob.digest);
    if (need !== undefined && !need.heldBy.includes(repository) && !need.wantedBy.includes(repository))
      need.heldBy.push(repository);
  }
  return [...byDigest.values()].filter(({ wantedBy }) => wantedBy.length > 0);
}
