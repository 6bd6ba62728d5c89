import { hexOf, type Digest } from '../core/digest.ts';

const SUFFIXES = ['sig', 'att', 'sbom'] as const;

/** Tags under which cosign keeps what it says about a manifest (sigstore/cosign, specs/SIGNATURE_SPEC.md): `sha256-….sig`. */
export function cosignTags(subject: Digest): readonly string[] {
  return SUFFIXES.map((suffix) => `sha256-${hexOf(subject)}.${suffix}`);
}

/** Whether a name ends in such a tag, or in that of a list of referrers (distribution-spec, “Referrers Tag Schema”). */
export function isCosignName(name: string): boolean {
  return /(?:^|:)sha256-[0-9a-f]{64}(?:\.[a-z]+)?$/.test(name);
}
