import type { Digest } from '../core/digest.ts';
import { DeliverError, isDeliverError } from '../core/errors.ts';
import { inParallel } from '../core/in-parallel.ts';
import type { Report } from '../core/report.ts';
import type { Bundle } from './bundle.ts';
import type { PlannedMember } from './plan.ts';

/** A blob whose bytes are not those that its digest promises. */
export interface Damage {
  readonly digest: Digest;
  /** What it is for: `image docker.io/library/busybox:1.36, blob 2 of 3`. */
  readonly owners: readonly string[];
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly size: number;
  readonly why: string;
}

/** Blobs in hand at once; as many as there can be threads, so that none waits for its next one. */
const AT_ONCE = 8;

/**
 * Hashes every blob, on all cores, and returns in file order all that are damaged, also where the medium can't be read.
 * @param whole blobs that were hashed already
 * @throws DeliverError E_INTERRUPTED through `signal`; damage is returned, not thrown
 */
export async function verifyBundle(
  bundle: Bundle,
  report: Report,
  signal: AbortSignal,
  whole: ReadonlySet<Digest> = new Set(),
): Promise<readonly Damage[]> {
  const members = bundle.plan.members.filter(
    (member): member is PlannedMember & { digest: Digest } => member.digest !== undefined && !whole.has(member.digest),
  );
  const total = members.reduce((sum, { size }) => sum + size, 0);
  const damage: Damage[] = [];
  let done = 0;
  await inParallel(members, AT_ONCE, signal, async ({ digest, owners, offset, size }, blobSignal) => {
    let counted = 0;
    const onBytes = (count: number): void => {
      counted += count;
      done += count;
      report.progress({ done, total, unit: 'bytes', detail: owners[0] ?? '' });
    };
    try {
      await bundle.check(digest, onBytes, blobSignal);
    } catch (error) {
      if (!isDeliverError(error, 'E_DIGEST', 'E_SIZE', 'E_FILE_UNREADABLE')) throw error;
      damage.push({ digest, owners, offset, size, why: error.facts.why ?? error.facts.what });
    }
    done += size - counted;
  });
  return damage.sort((a, b) => a.offset - b.offset);
}

/** One line per damaged blob, with everything that it belongs to. */
export function damageLine({ digest, owners, offset, size, why }: Damage): string {
  const shown = owners.slice(0, 3).join('; ') + (owners.length > 3 ? `; and ${String(owners.length - 3)} more` : '');
  return `${shown}: ${digest}, bytes ${String(offset)} to ${String(offset + size)}: ${why}`;
}

/** The error for a bundle that is not whole. */
export function damagedError(path: string, details: readonly string[]): DeliverError {
  return new DeliverError('E_BUNDLE_DAMAGED', {
    what: `${path} is damaged in ${details.length === 1 ? 'one place' : `${String(details.length)} places`}.`,
    why: 'Bytes are not those that the lock promises.',
    fix: 'Copy the bundle again and verify the copy.',
    details,
  });
}
