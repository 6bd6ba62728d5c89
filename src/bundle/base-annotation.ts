import { z } from 'zod';
import { isDigest, type Digest } from '../core/digest.ts';
import { FileWord } from '../manifest/fields.ts';
import type { BaseName } from './base.ts';
import type { PlannedDelta } from './delta.ts';

/** The base that an index.json names, and how many blobs it says are left out. */
export interface ClaimedBase {
  readonly base: BaseName;
  readonly omitted: number;
}

const KEY = {
  name: 'vnd.deliver.base.name',
  version: 'vnd.deliver.base.version',
  root: 'vnd.deliver.base.root',
  omitted: 'vnd.deliver.base.omitted',
} as const;

const Annotations = z.strictObject({
  [KEY.name]: FileWord,
  [KEY.version]: FileWord,
  [KEY.root]: z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'must be a digest'),
  [KEY.omitted]: z.string().regex(/^(?:0|[1-9]\d{0,8})$/),
});

/** Annotations of index.json itself (image-spec image-index.md); a full bundle has none. */
export function baseAnnotations({ base, omitted }: PlannedDelta): Readonly<Record<string, string>> {
  return {
    [KEY.name]: base.name,
    [KEY.version]: base.version,
    [KEY.root]: base.root,
    [KEY.omitted]: String(omitted.length),
  };
}

/**
 * What index.json claims; undefined for a full bundle, and for an index that can't be parsed: that is met when it is
 * compared with what follows from the lock.
 */
export function claimedBase(index: Uint8Array): ClaimedBase | { readonly problem: string } | undefined {
  const annotations = annotationsOf(index);
  if (annotations === undefined) return undefined;
  const parsed = Annotations.safeParse(annotations);
  if (!parsed.success) return { problem: `index.json names no proper base: ${parsed.error.issues[0]?.message ?? ''}` };
  const { data } = parsed;
  return {
    base: { name: data[KEY.name], version: data[KEY.version], root: data[KEY.root] },
    omitted: Number(data[KEY.omitted]),
  };
}

function annotationsOf(index: Uint8Array): unknown {
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(index));
    return z.object({ annotations: z.unknown() }).safeParse(json).data?.annotations;
  } catch {
    return undefined;
  }
}
