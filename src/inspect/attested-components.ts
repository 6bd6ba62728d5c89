import type { Json } from '../core/canonical-json.ts';
import type { Attestation } from './attestations.ts';
import type { AttestedPackage } from './attested-packages.ts';
import { licenceChoice } from './licence-choice.ts';

type Fields = Readonly<Record<string, Json | undefined>>;

/** A package that attestations name, with each that does. */
export interface Attested {
  readonly entry: AttestedPackage;
  readonly by: readonly Attestation[];
}

/** What the attestations about one manifest name, by `packageKey`. */
export function attestedPackages(attestations: readonly Attestation[]): ReadonlyMap<string, Attested> {
  const found = new Map<string, Attested>();
  for (const attestation of attestations) {
    for (const entry of attestation.payload?.bom?.packages ?? []) {
      const key = packageKey(entry);
      const known = found.get(key);
      found.set(key, { entry: known?.entry ?? entry, by: [...(known?.by ?? []), attestation] });
    }
  }
  return found;
}

/** The same for the same package, however its URL is written and whatever qualifiers it has. */
export function packageKey({ name, version, purl }: Pick<AttestedPackage, 'name' | 'version' | 'purl'>): string {
  if (purl === undefined) return `${name}@${version ?? ''}`;
  const plain = purl.replace(/[?#].*$/, '');
  try {
    return decodeURIComponent(plain).toLowerCase();
  } catch {
    return plain.toLowerCase();
  }
}

/** `sha256:… (SPDX, signed, signature not checked)`: how far a person may trust what it says. */
export function sourceText({ digest, payload }: Attestation): string {
  const signed = payload?.signed === true ? 'signed, signature not checked' : 'not signed';
  return `${digest} (${[...(payload?.bom === undefined ? [] : [payload.bom.format]), signed].join(', ')})`;
}

/** As properties of a component, so that nobody takes it for what the layers say. */
export function sourceProperties(by: readonly Attestation[]): Fields[] {
  return by.map((attestation) => ({ name: 'deliver:from-attestation', value: sourceText(attestation) }));
}

/** A package that no package database of the layers names. */
export function attestedComponent(parent: string, { entry, by }: Attested): Fields {
  const licenses = licenceChoice(entry.licences);
  return {
    type: 'library',
    'bom-ref': `${parent}#attested:${packageKey(entry)}`,
    name: entry.name,
    ...(entry.version === undefined ? {} : { version: entry.version }),
    ...(entry.purl === undefined ? {} : { purl: entry.purl }),
    ...(licenses === undefined ? {} : { licenses }),
    properties: sourceProperties(by),
  };
}

/** Where an attestation lies in the bundle, what it is, and how far it was read. */
export function attestationReference(attestation: Attestation): Fields {
  const { kind, digest, mediaType, payload } = attestation;
  const predicateType = payload?.predicateType ?? attestation.predicateType;
  const signed = payload?.signed === undefined ? [] : [payload.signed ? 'signed, signature not checked' : 'not signed'];
  const problem = payload?.problem === undefined ? [] : [`not read: ${payload.problem}`];
  const hex = digest.slice('sha256:'.length);
  return {
    type: kind === 'bom' ? 'bom' : kind === 'attestation' ? 'attestation' : kind === 'signature' ? 'digital-signature' : 'other',
    url: `blobs/sha256/${hex}`,
    comment: [mediaType, ...(predicateType === undefined ? [] : [predicateType]), ...signed, ...problem].join(', '),
    hashes: [{ alg: 'SHA-256', content: hex }],
  };
}
