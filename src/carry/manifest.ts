import { z } from 'zod';
import { canonicalJson, type Json } from '../core/canonical-json.ts';
import { digestOf, isDigest, type Digest } from '../core/digest.ts';
import { excerpt, messageOf } from '../core/errors.ts';
import { FileWord, ReleaseName } from '../manifest/fields.ts';
import { MOST_VOLUMES } from './galois.ts';
import { isPartName, LEAF, leafCount, manifestNames } from './layout.ts';

/** A carry manifest begins with this, whatever its file is called: canonical JSON has `apiVersion` first. */
export const MANIFEST_START = '{"apiVersion":"deliver-carry/v1",';
/** Bytes. Enough for nearly a terabyte. */
export const MOST_MANIFEST = 64 * 1024 * 1024;
/** The parity code: Cauchy matrix 1 / ((255 − k) + i) over GF(2^8) with the polynomial 0x11d. */
const CODE = 'cauchy-gf256-11d';

/** As many as a person would name; each is checked, and an RSA key can make that slow. */
const MOST_SIGNATURES = 64;

const HEX = /^[0-9a-f]{64}$/;
const size = z.int().positive();
const hex = z.string().regex(HEX);
const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'is not a sha256 digest');
const name = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/, 'is not a plain file name')
  .refine((text) => !isPartName(text), 'is a name for unfinished files');
/** Shown, and put into file names and commands. */
const bundleName = z.string().regex(/^(?!\.{1,2}$)[^/\p{C}]{1,255}$/u, 'is not a file name');
/** One finding for all leaves: a list of millions of wrong ones is no reason to take gigabytes. */
const leaves = z.custom<string[]>(
  (value) => Array.isArray(value) && value.every((leaf) => typeof leaf === 'string' && HEX.test(leaf)),
  'are not all sha256',
);
const volume = z.strictObject({ name, size, sha256: hex, leaves });
const volumes = z.array(z.unknown()).transform((all, context) => {
  const good: z.infer<typeof volume>[] = [];
  for (const [index, one] of all.entries()) {
    const { data, error } = volume.safeParse(one);
    if (data === undefined) {
      const [issue] = error.issues;
      context.addIssue({ code: 'custom', path: [index, ...(issue?.path ?? [])], message: issue?.message ?? '' });
      return z.NEVER;
    }
    good.push(data);
  }
  return good;
});

const CarryBodySchema = z.strictObject({
  apiVersion: z.literal('deliver-carry/v1'),
  bundle: z.strictObject({ name: bundleName, size }),
  leafSize: z.literal(LEAF),
  parity: z.strictObject({ code: z.literal(CODE), volumes }),
  previous: digest.optional(),
  release: z.strictObject({ name: ReleaseName, version: FileWord }),
  root: digest,
  volumeSize: size,
  volumes,
});
const CarrySchema = CarryBodySchema.extend({ id: digest, signatures: z.array(z.string().max(16_384)).max(MOST_SIGNATURES) });

/** Whether a set of a bundle and files with these names can be read again. */
export function areNames(bundle: string, files: readonly string[]): boolean {
  return bundleName.safeParse(bundle).success && files.every((file) => name.safeParse(file).success);
}

/** What one volume is: name, bytes, sha256 of the whole and of every MiB. */
export type VolumeRecord = z.infer<typeof volume>;
/** A carry manifest but for its id and its signatures. */
export type CarryBody = z.infer<typeof CarryBodySchema>;
/** A carry manifest. */
export type CarryManifest = z.infer<typeof CarrySchema>;

/** All volumes, data before parity: their index here is what a patch and a picture count by. */
export function allVolumes(carry: Pick<CarryBody, 'volumes' | 'parity'>): readonly VolumeRecord[] {
  return [...carry.volumes, ...carry.parity.volumes];
}

/** The id of a carry set: the digest of everything else but the signatures. */
export function withId(body: CarryBody): Omit<CarryManifest, 'signatures'> {
  return { ...body, id: digestOf(canonicalJson(body)) };
}

/** What signatures cover: canonical JSON of all but `signatures`. */
export function signedBytes(carry: Omit<CarryManifest, 'signatures'>): Uint8Array {
  const body: Record<string, unknown> = { ...carry };
  delete body['signatures'];
  return Buffer.from(canonicalJson(body as Json));
}

/** The bytes of the file. */
export function manifestBytes(carry: CarryManifest): Uint8Array {
  return Buffer.from(canonicalJson(carry));
}

/** The parity part of a manifest. */
export function parityOf(volumes: readonly VolumeRecord[]): CarryBody['parity'] {
  return { code: CODE, volumes: [...volumes] };
}

/** A carry manifest from bytes of unknown origin, or what is wrong with it. */
export function parseCarry(bytes: Uint8Array): CarryManifest | string {
  try {
    if (isCrowded(bytes)) return 'it has far more parts than a carry manifest of its size';
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const json: unknown = JSON.parse(text);
    const parsed = CarrySchema.safeParse(json);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      return `${issue?.path.join('.') ?? ''}: ${excerpt(issue?.message ?? '', 200)}`;
    }
    if (canonicalJson(parsed.data) !== text) return 'it is not canonical JSON';
    return contradiction(parsed.data) ?? parsed.data;
  } catch (error) {
    return excerpt(messageOf(error), 200);
  }
}

/**
 * Told before anything is parsed: JSON of many tiny parts takes twenty times its size in memory. Hashes, 64 digits for
 * each comma, are nearly all of a carry manifest; the shortest record of a volume has ten parts in 190 bytes.
 */
function isCrowded(bytes: Uint8Array): boolean {
  let parts = 0;
  for (const byte of bytes) if (byte === 0x2c || byte === 0x3a || byte === 0x5b || byte === 0x7b) parts += 1;
  return parts > 1024 + bytes.byteLength / 16;
}

/** What no schema can say: sizes, numbers of leaves and names have to fit each other. */
function contradiction(carry: CarryManifest): string | undefined {
  const { id, signatures: _, ...body } = carry;
  if (carry.volumes.length === 0) return 'it lists no volumes';
  if (withId(body).id !== id) return 'its id is not the digest of its content';
  if (carry.volumeSize % LEAF !== 0) return 'volumeSize is not whole MiB';
  const count = Math.ceil(carry.bundle.size / carry.volumeSize);
  if (carry.volumes.length !== count) return `${String(count)} volumes are needed, ${String(carry.volumes.length)} are listed`;
  const stripe = Math.min(carry.volumeSize, carry.bundle.size);
  const sizes = carry.volumes.map((_volume, at) => Math.min(carry.volumeSize, carry.bundle.size - at * carry.volumeSize));
  const expected = [...sizes, ...carry.parity.volumes.map(() => stripe)];
  const all = allVolumes(carry);
  const odd = all.find((entry, at) => entry.size !== expected[at] || entry.leaves.length !== leafCount(entry.size));
  if (odd !== undefined) return `the size or the leaves of ${odd.name} do not fit`;
  if (carry.parity.volumes.length > 0 && all.length > MOST_VOLUMES) return 'there are more volumes than the parity code knows';
  if (new Set(all.map((entry) => entry.name.toLowerCase())).size !== all.length) return 'two volumes have the same name';
  const kept = ['plain', '8.3'] as const;
  const names = new Set(kept.flatMap((style) => manifestNames(carry.bundle.name, style)).map((one) => one.toLowerCase()));
  if (all.some((entry) => names.has(entry.name.toLowerCase()))) return 'a volume has the name of the carry manifest';
  return undefined;
}
