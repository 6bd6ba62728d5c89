import { canonicalJson, type Json } from '../core/canonical-json.ts';
import { digestOf, hexOf, type Digest } from '../core/digest.ts';
import {
  attestationReference,
  attestedComponent,
  attestedPackages,
  packageKey,
  sourceProperties,
  type Attested,
} from './attested-components.ts';
import type { ImagePart } from './image-parts.ts';
import type { DeepImage } from './deep-image.ts';
import { jsonParts } from './json-parts.ts';
import { licenceChoice } from './licence-choice.ts';
import type { PackageFacts } from './merge-layers.ts';
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
 * same bytes: no time, and a serial number that follows from the root digest. It comes in parts, one for each image: whole
 * it is many times its size in memory.
 */
export function* sbomOf({ release, version, root, images, charts, files }: SbomInput): Generator<string> {
  const parts = images.flatMap((image) => image.parts.map((part) => ({ image, part })));
  const components = function* (): Generator<Fields> {
    for (const image of images) yield imageComponent(image);
    for (const chart of charts) yield plain('application', `chart:${chart.name}:${chart.version}`, chart.name, chart);
    for (const file of files) yield plain('file', `file:${file.name}`, file.title, { digest: file.digest });
  };
  const compositions = parts.map(({ image, part }) => ({
    // What a build compiled in is in no package database: “complete” would be a lie.
    aggregate: (image.packages.get(part.digest)?.notes.length ?? 0) > 0 ? 'incomplete' : 'unknown',
    assemblies: [partRef(image, part)],
  }));
  const metadata: Fields = {
    tools: { components: [{ type: 'application', name: 'deliver' }] },
    component: { type: 'application', 'bom-ref': 'release', name: release, version, properties: [property('root', root)] },
  };
  // Keys in their order, as canonical JSON has them.
  yield '{"bomFormat":"CycloneDX","components":[';
  let first = true;
  for (const component of components()) {
    if (!first) yield ',';
    yield* jsonParts(component);
    first = false;
  }
  yield '],"compositions":';
  yield* jsonParts(compositions);
  yield `,"metadata":${canonicalJson(metadata)}`;
  yield `,"serialNumber":"${serialOf(root)}","specVersion":"1.6","version":1}\n`;
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
    ...(single === undefined ? manyPlatforms(image) : partFields(image, single, attestedPackages(image.attestations))),
  };
}

/** What an attestation says of the index as a whole stands beside its platforms. */
function manyPlatforms(image: DeepImage): Fields {
  const whole = attestedPackages(image.attestations.filter(({ about }) => about === image.digest));
  const components = [
    ...image.parts.map((part) => partComponent(image, part)),
    ...[...whole.values()].map((attested) => attestedComponent(imageRef(image), attested)),
  ];
  return components.length === 0 ? {} : { components };
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
    ...partFields(image, part, attestedPackages(image.attestations.filter(({ about }) => about === part.digest))),
  };
}

function partFields(image: DeepImage, part: ImagePart, attested: ReadonlyMap<string, Attested>): Fields {
  const facts = image.packages.get(part.digest);
  const label = part.labels['org.opencontainers.image.licenses'];
  const licenses = licenceChoice(label === undefined ? [] : [label]);
  const properties = [
    ...(part.platform === undefined ? [] : [property('platform', part.platform)]),
    ...(facts?.distribution === undefined ? [] : [property('distribution', distributionText(facts.distribution))]),
    ...(facts?.notes ?? []).map((note) => property('not-analysed', note)),
  ];
  const packages = packageComponents(partRef(image, part), facts, attested);
  return {
    ...(licenses === undefined ? {} : { licenses }),
    ...(properties.length === 0 ? {} : { properties }),
    ...(packages.length === 0 ? {} : { components: packages }),
  };
}

/** What the layers say, then what only attestations say; a package that both name is one component. */
function packageComponents(parent: string, facts: PackageFacts | undefined, attested: ReadonlyMap<string, Attested>): Fields[] {
  const rest = new Map(attested);
  const own = (facts?.packages ?? []).map((entry) => {
    const purl = packagePurl(entry, facts?.distribution);
    const key = packageKey({ ...entry, purl });
    const same = rest.get(key);
    rest.delete(key);
    return packageComponent(parent, entry, purl, same);
  });
  return [...own, ...[...rest.values()].map((one) => attestedComponent(parent, one))];
}

function packageComponent(parent: string, entry: PackageEntry, purl: string, attested: Attested | undefined): Fields {
  const licenses = licenceChoice(entry.licences.length > 0 ? entry.licences : (attested?.entry.licences ?? []));
  const properties = [
    ...(entry.source === undefined ? [] : [property('source-package', entry.source)]),
    ...sourceProperties(attested?.by ?? []),
  ];
  return {
    type: 'library',
    'bom-ref': `${parent}#${purl}`,
    name: entry.name,
    version: entry.version,
    purl,
    ...(licenses === undefined ? {} : { licenses }),
    ...(properties.length === 0 ? {} : { properties }),
  };
}

function plain(type: string, ref: string, name: string, item: { readonly version?: string; readonly digest: string }): Fields {
  const { version, digest } = item;
  // A chart's digest is that of its manifest: the archive is one of its blobs.
  return { type, 'bom-ref': ref, name, ...(version === undefined ? {} : { version }), hashes: [hashOf(digest as Digest)] };
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
