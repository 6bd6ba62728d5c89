import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { planBundle } from '../../src/bundle/plan.ts';
import { hexOf } from '../../src/core/digest.ts';
import { MEDIA } from '../../src/core/oci.ts';
import { LockSchema } from '../../src/lock/lock-schema.ts';
import { bundleBytes, type TestRelease } from '../support/bundles.ts';
import { deliver } from '../support/cli.ts';
import { folderWith } from '../support/files.ts';
import { artifactAbout, releaseOf } from '../support/image-release.ts';
import { buildImage, buildIndex, withAnnotations, type BuiltImage } from '../support/images.ts';
import { alpineLayer, debianLayer, layerOf } from '../support/layers.ts';

const SPDX = 'https://spdx.dev/Document';
const CYCLONE = 'https://cyclonedx.org/bom';
const CYCLONE_TYPE = 'application/vnd.cyclonedx+json';

/** An in-toto statement about images. */
function statement(predicateType: string, predicate: unknown, about: readonly BuiltImage[]): Buffer {
  const subject = about.map(({ descriptor }) => ({ name: 'image', digest: { sha256: hexOf(descriptor.digest) } }));
  return Buffer.from(JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', predicateType, predicate, subject }));
}

function spdx(packages: readonly (readonly [name: string, version: string, purl: string])[]) {
  return {
    spdxVersion: 'SPDX-2.3',
    SPDXID: 'SPDXRef-DOCUMENT',
    packages: packages.map(([name, versionInfo, referenceLocator]) => ({
      name,
      versionInfo,
      licenseConcluded: 'NOASSERTION',
      licenseDeclared: 'MIT',
      externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator }],
    })),
  };
}

function cyclone(components: readonly object[]) {
  return { bomFormat: 'CycloneDX', specVersion: '1.5', components };
}

function envelope(payload: Buffer): Buffer {
  const signatures = [{ keyid: '', sig: Buffer.from('somebody’s').toString('base64') }];
  return Buffer.from(
    JSON.stringify({ payloadType: 'application/vnd.in-toto+json', payload: payload.toString('base64'), signatures }),
  );
}

/**
 * Three images: one for two platforms with what BuildKit puts beside them, one that cosign attested, one that a CycloneDX
 * document refers to; and one with an attestation about something else.
 */
function attested(): TestRelease {
  const shared = debianLayer();
  const amd64 = buildImage({ layers: [shared, layerOf({ 'app/main': 'amd64' })], seed: 'a' });
  const arm64 = buildImage({ layers: [shared], seed: 'b', platform: { os: 'linux', architecture: 'arm64' } });
  const build = artifactAbout({
    layers: [
      {
        mediaType: 'application/vnd.in-toto+json',
        annotations: { 'in-toto.io/predicate-type': SPDX },
        bytes: statement(
          SPDX,
          spdx([
            ['bash', '5.2.15-2+b7', 'pkg:deb/debian/bash@5.2.15-2+b7?arch=amd64'],
            ['left-pad', '1.3.0', 'pkg:npm/left-pad@1.3.0'],
          ]),
          [amd64],
        ),
      },
      {
        mediaType: 'application/vnd.in-toto+json',
        annotations: { 'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v0.2' },
        bytes: statement('https://slsa.dev/provenance/v0.2', { builder: { id: '' } }, [amd64]),
      },
    ],
  });
  const beside = withAnnotations(build, {
    'vnd.docker.reference.type': 'attestation-manifest',
    'vnd.docker.reference.digest': amd64.descriptor.digest,
  });
  const alpine = buildImage({ layers: [alpineLayer()], seed: 'c' });
  const cosign = artifactAbout({
    layers: [
      {
        mediaType: 'application/vnd.dsse.envelope.v1+json',
        bytes: envelope(
          statement(
            CYCLONE,
            cyclone([
              { type: 'library', name: 'musl', version: '1.2.5-r0', purl: 'pkg:apk/alpine/musl@1.2.5-r0' },
              {
                type: 'application',
                name: 'server',
                version: 'v2.0.0',
                purl: 'pkg:golang/example.org/server@v2.0.0',
                licenses: [{ license: { id: 'Apache-2.0' } }],
                components: [{ type: 'library', name: 'golang.org/x/net', version: 'v0.30.0' }],
              },
            ]),
            [alpine],
          ),
        ),
      },
    ],
  });
  const plain = buildImage({ layers: [layerOf({ 'bin/tool': 'x' })], seed: 'd' });
  const referring = artifactAbout({
    subject: plain.descriptor,
    artifactType: 'application/vnd.cyclonedx+json',
    layers: [
      {
        mediaType: 'application/vnd.cyclonedx+json',
        bytes: Buffer.from(JSON.stringify(cyclone([{ type: 'library', name: 'serde', purl: 'pkg:cargo/serde@1.0.0' }]))),
      },
    ],
  });
  const stranger = artifactAbout({
    subject: plain.descriptor,
    artifactType: 'application/vnd.in-toto+json',
    layers: [
      {
        mediaType: 'application/vnd.in-toto+json',
        bytes: statement(SPDX, spdx([['evil', '1', 'pkg:npm/evil@1']]), [alpine]),
      },
    ],
  });
  const hex = hexOf(alpine.descriptor.digest);
  return releaseOf([
    { reference: 'example.org/multi:1', image: buildIndex([amd64, arm64, beside]) },
    { reference: 'example.org/alpine:1', image: alpine },
    { reference: `example.org/alpine:sha256-${hex}.att`, image: cosign },
    { reference: 'example.org/tool:1', image: plain },
    { reference: 'example.org/tool:sbom', image: referring },
    { reference: 'example.org/tool:stranger', image: stranger },
  ]);
}

interface Component {
  readonly name: string;
  readonly purl?: string | undefined;
  readonly properties?: readonly { readonly name: string; readonly value: string }[] | undefined;
  readonly externalReferences?: readonly { readonly type: string; readonly comment?: string | undefined }[] | undefined;
  readonly components?: readonly Component[] | undefined;
}
const Component: z.ZodType<Component> = z.lazy(() =>
  z.object({
    name: z.string(),
    purl: z.string().optional(),
    properties: z.array(z.object({ name: z.string(), value: z.string() })).optional(),
    externalReferences: z.array(z.object({ type: z.string(), comment: z.string().optional() })).optional(),
    components: z.array(Component).optional(),
  }),
);

async function bundleIn({ lock, content }: TestRelease): Promise<string> {
  const folder = await folderWith();
  await writeFile(join(folder, 'suite.tar'), bundleBytes(planBundle(lock, []), content));
  return folder;
}

async function sbomOf(release: TestRelease): Promise<{ stdout: string; document: unknown; components: readonly Component[] }> {
  const folder = await bundleIn(release);
  const { exitCode, stdout } = await deliver(['inspect', 'suite.tar', '--sbom', 'sbom.json'], folder);
  expect(exitCode).toBe(0);
  const document: unknown = JSON.parse(await readFile(join(folder, 'sbom.json'), 'utf8'));
  return { stdout, document, components: z.object({ components: z.array(Component) }).parse(document).components };
}

const require = createRequire(import.meta.url);

/** The schema that CycloneDX publishes, with what it refers to. */
async function officialSchema() {
  const folder = join(dirname(require.resolve('@cyclonedx/cyclonedx-library/package.json')), 'res/schema');
  const read = async (name: string) =>
    z.record(z.string(), z.unknown()).parse(JSON.parse(await readFile(join(folder, name), 'utf8')));
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  for (const format of ['iri-reference', 'idn-email']) ajv.addFormat(format, (text) => text !== '' && !/\s/.test(text));
  for (const name of ['spdx', 'jsf-0.82', 'cryptography-defs'])
    ajv.addSchema(await read(`${name}.SNAPSHOT.schema.json`), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  return ajv.compile(await read('bom-1.6.SNAPSHOT.schema.json'));
}

const FROM = 'deliver:from-attestation';
const sources = (component: Component | undefined): readonly string[] =>
  (component?.properties ?? []).flatMap(({ name, value }) => (name === FROM ? [value.replace(/^sha256:[0-9a-f]{64} /, '')] : []));

describe('a bill of materials', () => {
  it('is what the schema of CycloneDX 1.6 allows', async () => {
    const validate = await officialSchema();
    const { document } = await sbomOf(attested());
    validate(document);
    expect(validate.errors).toBeNull();
    expect(validate({ ...z.record(z.string(), z.unknown()).parse(document), components: [{ name: 'no type' }] })).toBe(false);
  });

  it('takes in what BuildKit put beside the image of one platform, and leaves the other platform alone', async () => {
    const { components } = await sbomOf(attested());
    const [amd64, arm64] = components.find(({ name }) => name === 'example.org/multi:1')?.components ?? [];
    expect([amd64?.name, arm64?.name]).toEqual(['example.org/multi:1 linux/amd64', 'example.org/multi:1 linux/arm64']);
    expect(amd64?.components?.map(({ purl }) => purl)).toEqual([
      'pkg:deb/debian/bash@5.2.15-2%2Bb7?arch=amd64&distro=debian-12',
      'pkg:deb/debian/libc6@2.36-9%2Bdeb12u9?arch=amd64&distro=debian-12&upstream=glibc',
      'pkg:npm/left-pad@1.3.0',
    ]);
    expect(amd64?.components?.map(sources)).toEqual([['(SPDX, not signed)'], [], ['(SPDX, not signed)']]);
    expect(arm64?.components?.flatMap(sources)).toEqual([]);
    const references = components.find(({ name }) => name === 'example.org/multi:1')?.externalReferences ?? [];
    expect(references.map(({ type }) => type)).toEqual(['bom', 'attestation']);
  });

  it('takes in what cosign attested under its tag, and says that the signature was not checked', async () => {
    const { components } = await sbomOf(attested());
    const packages = components.find(({ name }) => name === 'example.org/alpine:1')?.components ?? [];
    const signed = '(CycloneDX, signed, signature not checked)';
    expect(packages.map((one) => [one.name, sources(one)])).toEqual([
      ['musl', [signed]],
      ['ssl_client', []],
      ['golang.org/x/net', [signed]],
      ['server', [signed]],
    ]);
    expect(packages[0]?.purl).toBe('pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64&distro=alpine-3.20.3');
  });

  it('takes in a document that refers to the image, and nothing of a statement about another image', async () => {
    const { components, stdout } = await sbomOf(attested());
    const tool = components.find(({ name }) => name === 'example.org/tool:1');
    expect(tool?.components?.map(({ purl }) => purl)).toEqual(['pkg:cargo/serde@1.0.0']);
    expect(JSON.stringify(components)).not.toContain('pkg:npm/evil');
    expect(stdout.replace(/\s+/g, ' ')).toContain('was not read: its statement is about something else than this image');
  });
});

it('shows an image for several platforms: its platforms, each byte once', async () => {
  const release = attested();
  const folder = await bundleIn(release);
  const text = await deliver(['inspect', 'suite.tar'], folder);
  expect(text.stdout).toMatch(/example\.org\/multi:1 .*\n {4}for linux\/amd64, linux\/arm64\n/);
  const Result = z.object({
    images: z.array(z.object({ reference: z.string(), size: z.number(), platforms: z.array(z.string()) })),
    content: z.number(),
  });
  const { images } = Result.parse(JSON.parse((await deliver(['inspect', 'suite.tar', '--json'], folder)).stdout));
  const locked = release.lock.images[0];
  const sizes = [locked, ...(locked?.manifests ?? []), ...(locked?.blobs ?? [])].map((part) => part?.size ?? 0);
  expect(images[0]).toEqual({
    reference: 'example.org/multi:1',
    platforms: ['linux/amd64', 'linux/arm64'],
    size: sizes.reduce((sum, size) => sum + size, 0),
  });
  expect((await deliver(['inspect', 'suite.tar', '--html', 'page.html'], folder)).exitCode).toBe(0);
  const page = await readFile(join(folder, 'page.html'), 'utf8');
  expect(page).toContain('linux/arm64');
  expect(page).toContain('left-pad');
  expect(page.replace(/\s+/g, ' ')).toContain('CycloneDX, 3 packages; signed, signature not checked');
});

it('says of a document above 4 MiB that it is listed and not read, in every form, and not that it is unsigned', async () => {
  const image = buildImage({ layers: [layerOf({ 'bin/tool': 'x' })], seed: 'big' });
  const large = artifactAbout({
    subject: image.descriptor,
    artifactType: 'application/vnd.cyclonedx+json',
    layers: [
      {
        mediaType: 'application/vnd.cyclonedx+json',
        bytes: Buffer.from(
          JSON.stringify(
            cyclone([{ type: 'library', name: 'serde', purl: 'pkg:cargo/serde@1.0.0', pad: 'x'.repeat(4 * 1024 * 1024) }]),
          ),
        ),
      },
    ],
  });
  const release = releaseOf([
    { reference: 'example.org/tool:1', image },
    { reference: 'example.org/tool:sbom', image: large },
  ]);
  const { stdout, components } = await sbomOf(release);
  const words = 'it has 4.2 MB, and documents above 4 MiB are listed, not read';
  expect(stdout.replace(/\s+/g, ' ')).toContain(words);
  const comments = components.flatMap(({ externalReferences = [] }) => externalReferences.map(({ comment }) => comment ?? ''));
  expect(comments.some((comment) => comment.includes(words))).toBe(true);
  expect(JSON.stringify(components)).not.toContain('pkg:cargo/serde');
  const { digest, size } = large.descriptor;
  const blobs = release.lock.images[1]?.blobs.map((blob) => ({ ...blob, mediaType: CYCLONE_TYPE })) ?? [];
  const referrer = {
    subject: image.descriptor.digest,
    digest,
    size,
    mediaType: MEDIA.manifest,
    artifactType: CYCLONE_TYPE,
    blobs,
  };
  const [tool] = release.lock.images;
  const carried = LockSchema.parse({ ...release.lock, images: [{ ...tool, referrers: [referrer] }] });
  const folder = await bundleIn({ ...release, lock: carried });
  const listed = await deliver(['inspect', 'suite.tar'], folder);
  expect(listed.stdout).toContain('a document above 4 MiB: listed, not read');
  expect((await deliver(['inspect', 'suite.tar', '--html', 'page.html'], folder)).exitCode).toBe(0);
  const page = (await readFile(join(folder, 'page.html'), 'utf8')).replace(/\s+/g, ' ');
  expect(page).toContain('(not read: it has 4.2 MB, and documents above 4 MiB are listed, not read)');
});
