import type { PlannedDelta } from '../bundle/delta.ts';
import { bytesText, countText } from '../core/amounts.ts';

/** What a delta builds on, and what it leaves out. */
export interface LeftOut {
  readonly name: string;
  readonly version: string;
  /** Digest of the base's release manifest. */
  readonly root: string;
  /** Blobs that must be on site already. */
  readonly blobs: number;
  /** Bytes of those. */
  readonly bytes: number;
}

/** Undefined for a full bundle. */
export function leftOutOf({ delta }: { readonly delta?: PlannedDelta }): LeftOut | undefined {
  if (delta === undefined) return undefined;
  const { name, version, root } = delta.base;
  return {
    name,
    version,
    root,
    blobs: delta.omitted.length,
    bytes: delta.omitted.reduce((sum, { size }) => sum + size, 0),
  };
}

/** `builds on gatekeeper-suite 3.6.1: 38 blobs, 4.3 GB must be on site already`. */
export function leftOutText({ name, version, blobs, bytes }: LeftOut): string {
  return `builds on ${name} ${version}: ${countText(blobs, 'blob')}, ${bytesText(bytes)} must be on site already`;
}
