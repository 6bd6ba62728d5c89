import { refuseOther } from '../core/digest.ts';
import { isDeliverError } from '../core/errors.ts';
import type { BlobOrigins, WantedBlob } from './blob-origin.ts';
import type { Lanes } from './lanes.ts';
import type { PartBytes } from './part-bytes.ts';
import { orAborted, placeBlob } from './place-blob.ts';
import { Spread } from './spread.ts';
import type { WritePool } from './write-pool.ts';

/** Bytes below which a connection of its own on another thread would take longer than the blob, and which tell no rate. */
const WORTH_A_TRANSFER = 1024 * 1024;

interface Way {
  readonly file: PartBytes;
  readonly pool: WritePool;
  readonly lanes: Lanes;
  /** Blobs of which other lanes may take ranges; kept up here. */
  readonly spreads: Set<Spread>;
  readonly onBytes: (count: number) => void;
  readonly signal: AbortSignal;
}

/** Brings one blob from its origin to its place, verified. @throws DeliverError E_DIGEST, E_SIZE, E_SOURCE*; errors of writing as they are */
export async function bringBlob(member: WantedBlob, origins: BlobOrigins, way: Way): Promise<void> {
  const source = origins.describe(member.digest);
  const counted = {
    ...way,
    onBytes: (count: number): void => {
      if (member.size >= WORTH_A_TRANSFER) way.lanes.received(count);
      way.onBytes(count);
    },
  };
  try {
    if (!(await transferred(member, origins, source, counted))) await streamed(member, origins, source, counted);
  } catch (error) {
    throw named(error, source);
  }
}

/** On a thread that receives it; false where none can. */
async function transferred(member: WantedBlob, origins: BlobOrigins, source: string, way: Way): Promise<boolean> {
  if (member.size < WORTH_A_TRANSFER || origins.transfer === undefined) return false;
  const place = way.file.place(member.offset, member.size);
  // A thread that receives writes into one file.
  if (place === undefined) return false;
  const transfer = await origins.transfer(member.digest, place, way.signal);
  if (transfer === undefined) return false;
  const spread = new Spread(transfer, member.size, way.lanes, way.onBytes);
  way.spreads.add(spread);
  try {
    refuseOther(member, await spread.run(), source);
    return true;
  } finally {
    way.spreads.delete(spread);
  }
}

/** Through this thread. */
async function streamed(
  member: WantedBlob,
  origins: BlobOrigins,
  source: string,
  { pool, lanes, onBytes, signal }: Way,
): Promise<void> {
  const { target, done } = pool.target(member.size, origins.isFile?.(member.digest));
  let over = (): void => undefined;
  try {
    const bytes = await orAborted(origins.open(member.digest, signal), signal);
    if (member.size >= WORTH_A_TRANSFER) over = lanes.began();
    await placeBlob(target, member, bytes, source, onBytes, signal);
  } finally {
    over();
    done();
  }
}

/** Errors of a source, told with what was being fetched. */
function named(error: unknown, source: string): unknown {
  if (isDeliverError(error, 'E_DIGEST', 'E_SIZE')) {
    return error.with({
      fix: 'If the source was changed on purpose, run deliver resolve and review the lock; else ask who changed it.',
    });
  }
  if (!isDeliverError(error, 'E_SOURCE', 'E_SOURCE_AUTH', 'E_SOURCE_NOT_FOUND') || error.facts.what.includes(source))
    return error;
  return error.with({ what: `${source} can't be fetched: ${error.facts.what}` });
}
