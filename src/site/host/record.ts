import { z } from 'zod';
import { canonicalJson } from '../../core/canonical-json.ts';
import { isDigest, type Digest } from '../../core/digest.ts';
import { DeliverError } from '../../core/errors.ts';

export const STATE_FOLDER = '/var/lib/deliver';

/** What deliver did on a host (decision 25); believed only together with what is on disk. */
export function recordPath(stateFolder: string): string {
  return `${stateFolder}/host.json`;
}

/** What was done since the record was written last, line by line, each before or right after it was done (decision 30). */
export function journalPath(stateFolder: string): string {
  return `${stateFolder}/host.journal`;
}

const DigestField = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'must be a sha256 digest');

const RecordedFile = z.strictObject({
  digest: DigestField,
  /** Bytes. */
  size: z.int().min(0),
  /** Seconds since 1970. */
  mtime: z.int(),
  /** `containerd v1.7.28`, for what came with a component. */
  component: z.string().optional(),
  /** The blob of the bundle that it came from. */
  from: DigestField.optional(),
  /** Where the file is that others had there before. */
  kept: z.string().optional(),
});

const RecordSchema = z.strictObject({
  version: z.literal(1),
  files: z.record(z.string(), RecordedFile),
  /** What was set, and what it was before. */
  settings: z.array(z.strictObject({ name: z.string(), before: z.string().optional(), set: z.string().optional() })),
  /** Units that deliver manages, as they were before it came. */
  units: z.array(z.strictObject({ name: z.string(), enabled: z.boolean(), active: z.boolean() })).default([]),
  /** Units that still run with files from before a change. */
  due: z.array(z.string()).default([]),
});

export type RecordedFile = z.infer<typeof RecordedFile>;
export type HostRecord = z.infer<typeof RecordSchema>;

export const EMPTY_RECORD: HostRecord = { version: 1, files: {}, settings: [], units: [], due: [] };

/**
 * The record of a host. One that can't be read counts as none: what lies there is then compared by its content again.
 * @throws DeliverError E_HOST for one that a newer deliver wrote
 */
export function parseRecord(text: string | undefined, host: string): { readonly record: HostRecord; readonly corrupt: boolean } {
  if (text === undefined) return { record: EMPTY_RECORD, corrupt: false };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { record: EMPTY_RECORD, corrupt: true };
  }
  const parsed = RecordSchema.safeParse(value);
  if (parsed.success) return { record: parsed.data, corrupt: false };
  const newer = z.looseObject({ version: z.int().min(2) }).safeParse(value);
  if (!newer.success) return { record: EMPTY_RECORD, corrupt: true };
  throw new DeliverError('E_HOST', {
    what: `${recordPath(STATE_FOLDER)} on ${host} was written by a newer deliver.`,
    why: `its version is ${String(newer.data.version)}, this deliver knows 1`,
    fix: 'Use the deliver that was used on this site last.',
    state: 'Nothing was changed on that host.',
  });
}

export function recordText(record: HostRecord): string {
  return `${canonicalJson(record)}\n`;
}
