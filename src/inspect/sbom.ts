import { canonicalJson, type Json } from '../core/canonical-json.ts';
import { digestOf, hexOf, type Digest } from '../core/digest.ts';
import type { Attestation, ImagePart } from './image-parts.ts';
import type { DeepImage } from './deep-image.ts';
import { licenceChoice } from './licence-choice.ts';
import type { PackageEntry, Distribution } from './package-entry.ts';
import { imagePurl, packagePurl } from './purl.ts';

/** What a bill of materials is made from. */
export interface SbomInput {
  readonly release: string;
  readonly version: string;
  /** Digest of the release manifest. */
  readonly root: string;
  readonly images: readonly DeepImage[];
  readonly charts: readonly { readonly name: string; readonly version: string; readonly digest: string }[];
  readonly files: readonly { readonly name: string; readonly title: string; readonly digest: string }[];
}

type Fields = Readonly<Record<string, Json | undefined>>;

/**
 * CycloneDX 1.6 of a release: a component for each image, with one for each package in it. The same bundle is always the
 * same bytes: no time, and a serial number that follows from the root digest.
 */
export function sbomOf({ release, version, root, images, charts, files }: SbomInput): string {
  const parts = images.flatMap((image) => image.parts.map((part) => ({ image, part })));
  const document: Fields = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: serialOf(root),
    version: 1,
    metadata: {
      tools: { components: [{ type: 'application', name: 'deliver' }] },
      component: { type: 'application', 'bom-ref': 'release', name: release, version, properties: [property('root', root)] },
    },
    components: [
      ...images.map(imageComponent),
      ...charts.map((chart) => plain('application', `chart:${chart.name}:${chart.version}`, chart.name, chart)),
      ...files.map((file) => plain('file', `file:${file.name}`, file.title, { digest: file.digest })),
    ],
    compositions: parts.map(({ image, part }) => ({
      // What a build compiled in is in no package database: “complete” would be a lie.
      aggregate: (image.packages.get(part.digest)?.notes.length ?? 0) > 0 ? 'incomplete' : 'unknown',
      assemblies: [partRef(image, part)],
    })),
  };
  return `${canonicalJson(document)}\n`;
}

function imageComponent(image: DeepImage): Fields {
  const [only] = image.parts;
  const single = image.parts.length === 1 ? only : undefined;
  const references = image.attestations.map(attestationReference);
  return {
    type: 'container',
    'bom-ref': imageRef(image),
    name: image.reference,
    version: image.digest,
    purl: imagePurl(image.reference, image.digest, single?.platform),
    hashes: [hashOf(image.digest)],
    ...(references.length === 0 ? {} : { externalReferences: references }),
    ...(single === undefined ? { components: image.parts.map((part) => partComponent(image, part)) } : partFields(image, single)),
  };
}

/** One platform of an image for several. */
function partComponent(image: DeepImage, part: ImagePart): Fields {
  return {
    type: 'container',
    'bom-ref': partRef(image, part),
    name: `${image.reference} ${part.platform ?? ''}`.trimEnd(),
    version: part.digest,
    purl: imagePurl(image.reference, part.digest, part.platform),
    hashes: [hashOf(part.digest)],
    ...partFields(image, part),
  };
}

function partFields(image: DeepImage, part: ImagePart): Fields {
  const facts = image.packages.get(part.digest);
  const label = part.labels['org.opencontainers.image.licenses'];
  const licenses = licenceChoice(label === undefined ? [] : [label]);
  const properties = [
    ...(part.platform === undefined ? [] : [property('platform', part.platform)]),
    ...(facts?.distribution === undefined ? [] : [property('distribution', distributionText(facts.distribution))]),
    ...(facts?.notes ?? []).map((note) => property('not-analysed', note)),
  ];
  const packages = (facts?.packages ?? []).map((entry) => packageComponent(partRef(image, part), entry, facts?.distribution));
  return {
    ...(licenses === undefined ? {} : { licenses }),
    ...(properties.length === 0 ? {} : { properties }),
    ...(packages.length === 0 ? {} : { components: packages }),
  };
}

function packageComponent(parent: string, entry: PackageEntry, distribution: Distribution | undefined): Fields {
  const purl = packagePurl(entry, distribution);
  const licenses = licenceChoice(entry.licences);
  return {
    type: 'library',
    'bom-ref': `${parent}#${purl}`,
    name: entry.name,
    version: entry.version,
    purl,
    ...(licenses === undefined ? {} : { licenses }),
    ...(entry.source === undefined ? {} : { properties: [property('source-package', entry.source)] }),
  };
}

function plain(type: string, ref: string, name: string, item: { readonly version?: string; readonly digest: string }): Fields {
  const { version, digest } = item;
  // A chart's digest is that of its manifest: the archive is one of its blobs.
  return { type, 'bom-ref': ref, name, ...(version === undefined ? {} : { version }), hashes: [hashOf(digest as Digest)] };
}

function attestationReference({ kind, digest, mediaType, predicateType }: Attestation): Fields {
  return {
    type: kind === 'bom' ? 'bom' : kind === 'attestation' ? 'attestation' : kind === 'signature' ? 'digital-signature' : 'other',
    // Where it lies in the bundle.
    url: `blobs/sha256/${hexOf(digest)}`,
    comment: [mediaType, ...(predicateType === undefined ? [] : [predicateType])].join(', '),
    hashes: [hashOf(digest)],
  };
}

function imageRef({ reference, digest }: DeepImage): string {
  return `image:${reference}@${digest}`;
}

function partRef(image: DeepImage, part: ImagePart): string {
  return image.parts.length === 1 ? imageRef(image) : `${imageRef(image)}/${part.digest}`;
}

function hashOf(digest: Digest): Fields {
  return { alg: 'SHA-256', content: hexOf(digest) };
}

function property(name: string, value: string): Fields {
  return { name: `deliver:${name}`, value };
}

function distributionText({ id, version, title }: Distribution): string {
  return title ?? [id, ...(version === undefined ? [] : [version])].join(' ');
}

/** A UUID of version 8 (RFC 9562) from the root digest. */
function serialOf(root: string): string {
  const bytes = Buffer.from(hexOf(digestOf(`deliver cyclonedx\n${root}`)), 'hex').subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return `urn:uuid:${bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')}`;
}
