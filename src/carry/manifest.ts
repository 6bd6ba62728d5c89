import { z } from 'zod';
import { canonicalJson, type Json } from '../core/canonical-json.ts';
import { digestOf, isDigest, type Digest } from '../core/digest.ts';
import { messageOf } from '../core/errors.ts';
import { MOST_VOLUMES } from './galois.ts';
import { LEAF, leafCount } from './layout.ts';

/** A carry manifest begins with this, whatever its file is called: canonical JSON has `apiVersion` first. */
export const MANIFEST_START = '{"apiVersion":"deliver-carry/v1",';
/** Bytes. Enough for nearly a terabyte. */
export const MOST_MANIFEST = 64 * 1024 * 1024;
/** The parity code: Cauchy matrix 1 / ((255 − k) + i) over GF(2^8) with the polynomial 0x11d. */
const CODE = 'cauchy-gf256-11d';

const size = z.int().positive();
const hex = z.string().regex(/^[0-9a-f]{64}$/);
const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'is not a sha256 digest');
const name = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/, 'is not a plain file name');
const volume = z.strictObject({ name, size, sha256: hex, leaves: z.array(hex) });

const CarryBodySchema = z.strictObject({
  apiVersion: z.literal('deliver-carry/v1'),
  bundle: z.strictObject({ name: z.string().min(1).max(255), size }),
  leafSize: z.literal(LEAF),
  parity: z.strictObject({ code: z.literal(CODE), volumes: z.array(volume) }),
  previous: digest.optional(),
  release: z.strictObject({ name: z.string(), version: z.string() }),
  root: digest,
  volumeSize: size,
  volumes: z.array(volume).min(1),
});
const CarrySchema = CarryBodySchema.extend({ id: digest, signatures: z.array(z.string()) });

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
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const json: unknown = JSON.parse(text);
    const parsed = CarrySchema.safeParse(json);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
    }
    if (canonicalJson(parsed.data) !== text) return 'it is not canonical JSON';
    return contradiction(parsed.data) ?? parsed.data;
  } catch (error) {
    return messageOf(error);
  }
}

/** What no schema can say: sizes, numbers of leaves and names have to fit each other. */
function contradiction(carry: CarryManifest): string | undefined {
  const { id, signatures: _, ...body } = carry;
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
  return undefined;
}
