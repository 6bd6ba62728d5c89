import { canonicalJson } from '../../src/core/canonical-json.ts';
import { digestOf, type Digest } from '../../src/core/digest.ts';
import { MEDIA } from '../../src/core/oci.ts';
import { END_SIZE, headerOf, type BundlePlan } from '../../src/bundle/plan.ts';
import { paddedSize } from '../../src/core/tar-header.ts';
import { LockSchema, type Lock } from '../../src/lock/lock-schema.ts';
import { noise } from './images.ts';

export interface ImageSpec {
  readonly reference: string;
  readonly layers: readonly Uint8Array[];
  readonly neededBy?: readonly string[];
}

export interface ReleaseSpec {
  readonly name?: string;
  readonly version?: string;
  readonly images?: readonly ImageSpec[];
  readonly files?: readonly { readonly name: string; readonly content: Uint8Array }[];
  readonly charts?: readonly { readonly name: string; readonly content: Uint8Array }[];
}

/** A lock and the content that it pins. */
export interface TestRelease {
  readonly lock: Lock;
  readonly content: ReadonlyMap<Digest, Uint8Array>;
}

/** Six layers that nothing compresses, the same on every run: enough to be interrupted in. */
export function noisyRelease(layerSize = 300_000, layers = 6): TestRelease {
  const images = Array.from({ length: layers }, (_, at) => ({
    reference: `docker.io/library/noise:${at}`,
    layers: [noise(layerSize, `layer ${at}`)],
  }));
  return buildRelease({ name: 'noise', version: '1.0', images });
}

/** A release small enough for a unit test: two images that share a layer, a file, a chart. */
export function smallRelease(): TestRelease {
  const base = Buffer.alloc(3000, 'base layer ');
  return buildRelease({
    images: [
      { reference: 'docker.io/library/busybox:1.36', layers: [base, Buffer.from('busybox')] },
      { reference: 'dockerhub.kubekey.local/project/gatekeeper:v362', layers: [base, Buffer.from('gatekeeper')] },
    ],
    files: [{ name: 'runbook', content: Buffer.from('read me') }],
    charts: [{ name: 'web', content: Buffer.from('chart content') }],
  });
}

export function buildRelease(spec: ReleaseSpec): TestRelease {
  const content = new Map<Digest, Uint8Array>();
  const put = (bytes: Uint8Array, mediaType: string): { digest: Digest; size: number; mediaType: string } => {
    const digest = digestOf(bytes);
    content.set(digest, bytes);
    return { digest, size: bytes.byteLength, mediaType };
  };
  const manifest = (configType: string, config: string, layers: readonly Uint8Array[], layerType: string) => {
    const blobs = [put(Buffer.from(config), configType), ...layers.map((layer) => put(layer, layerType))];
    const [first, ...rest] = blobs;
    const text = canonicalJson({ schemaVersion: 2, mediaType: MEDIA.manifest, config: first, layers: rest });
    return { ...put(Buffer.from(text), MEDIA.manifest), blobs };
  };
  const metadata = { name: spec.name ?? 'gatekeeper-suite', version: spec.version ?? '3.6.2' };
  const lock = LockSchema.parse({
    apiVersion: 'deliver/v1',
    kind: 'Lock',
    metadata,
    platforms: ['linux/amd64'],
    files: (spec.files ?? []).map(({ name, content: bytes }) => {
      const { digest, size } = put(bytes, MEDIA.octets);
      return { name, title: `${name}.pdf`, source: `./docs/${name}.pdf`, digest, size };
    }),
    charts: (spec.charts ?? []).map(({ name, content: bytes }) => ({
      name,
      version: '1.0.0',
      reference: `charts/${name}:1.0.0`,
      source: `oci://charts.example/${name}`,
      ...manifest(MEDIA.helmConfig, `{"name":"${name}","version":"1.0.0"}`, [bytes], MEDIA.helmChart),
    })),
    images: (spec.images ?? []).map(({ reference, layers, neededBy }) => ({
      reference,
      platform: 'linux/amd64',
      neededBy: neededBy ?? ['images[0]'],
      ...manifest(MEDIA.config, imageConfig(reference), layers, 'application/vnd.oci.image.layer.v1.tar'),
    })),
    release: { apiVersion: 'deliver/v1', kind: 'Release', metadata, platforms: ['linux/amd64'] },
  });
  return { lock, content };
}

function imageConfig(reference: string): string {
  return canonicalJson({
    architecture: 'amd64',
    os: 'linux',
    author: reference,
    config: {},
    rootfs: { type: 'layers', diff_ids: [] },
  });
}

/** The bytes of the bundle of a small release, put together from its plan without the writer. */
export function bundleBytes(plan: BundlePlan, content: TestRelease['content']): Buffer {
  const members = plan.members.map((member) => {
    const bytes = member.content ?? (member.digest === undefined ? undefined : content.get(member.digest)) ?? new Uint8Array();
    return Buffer.concat([headerOf(member), bytes, Buffer.alloc(paddedSize(bytes.byteLength) - bytes.byteLength)]);
  });
  return Buffer.concat([...members, Buffer.alloc(END_SIZE)]);
}
