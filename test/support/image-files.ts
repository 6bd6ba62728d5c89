import { execFileSync } from 'node:child_process';
import { digestOf, hexOf, type Digest } from '../../src/core/digest.ts';
import { ANNOTATION, type Descriptor } from '../../src/core/oci.ts';
import type { BuiltImage } from './images.ts';
import { tarMember, tarOf, type RawMember } from './tar-builder.ts';

/** One image of a layout, and what it is called there. */
export interface NamedImage {
  readonly image: BuiltImage;
  readonly name?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The files of an OCI image layout, by path. */
export function layoutFiles(images: readonly NamedImage[]): Record<string, Uint8Array> {
  const blobs = images.flatMap(({ image }) => [
    ...image.manifests.map(({ descriptor, bytes }) => [descriptor.digest, bytes] as const),
    ...image.blobs,
  ]);
  const manifests = images.map(({ image, name, annotations }) => ({
    ...image.descriptor,
    annotations: { ...(name === undefined ? {} : { [ANNOTATION.refName]: name }), ...annotations },
  }));
  return {
    'oci-layout': Buffer.from('{"imageLayoutVersion":"1.0.0"}'),
    'index.json': Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: manifests satisfies readonly Descriptor[] })),
    ...Object.fromEntries(blobs.map(([digest, bytes]) => [`blobs/sha256/${hexOf(digest)}`, bytes])),
  };
}

/** A tar of files, in their order. */
export function tarOfFiles(files: Readonly<Record<string, Uint8Array>>): Buffer {
  return tarOf(Object.entries(files).map(([name, content]) => tarMember({ name, content })));
}

/** What `docker save` before 25 writes: a config by its digest, each layer in a folder of its own, one that comes twice as a link. */
export function savedTar(images: readonly { readonly image: BuiltImage; readonly tags: readonly string[] }[]): Buffer {
  const members: RawMember[] = [];
  const seen = new Map<Digest, string>();
  const manifest = images.map(({ image, tags }, at) => {
    const [config = Buffer.alloc(0), ...layers] = configAndLayers(image);
    const names = layers.map((content, layer) => {
      const name = `${String(at)}${String(layer)}${'0'.repeat(62)}/layer.tar`;
      const before = seen.get(digestOf(content));
      seen.set(digestOf(content), before ?? name);
      members.push(before === undefined ? { name, content } : { name, type: '2', linkName: `../${before}` });
      return name;
    });
    const configName = `${hexOf(digestOf(config))}.json`;
    members.push({ name: configName, content: config });
    return { Config: configName, RepoTags: tags, Layers: names };
  });
  const last = { name: 'manifest.json', content: Buffer.from(JSON.stringify(manifest)) };
  return tarOf([...members, last].map(tarMember));
}

/** What `docker save` from 25 on writes: an OCI layout, and a manifest.json that points into it. */
export function savedLayoutTar(image: BuiltImage, tag: string): Buffer {
  const [config, ...layers] = configAndLayers(image).map((bytes) => `blobs/sha256/${hexOf(digestOf(bytes))}`);
  const named = {
    image,
    annotations: { [ANNOTATION.containerdName]: tag, [ANNOTATION.refName]: tag.slice(tag.lastIndexOf(':') + 1) },
  };
  const manifest = [{ Config: config, RepoTags: [tag], Layers: layers }];
  return tarOfFiles({ ...layoutFiles([named]), 'manifest.json': Buffer.from(JSON.stringify(manifest)) });
}

/** Config first, layers as often as the manifest names them. */
function configAndLayers(image: BuiltImage): Uint8Array[] {
  const { config, layers } = JSON.parse(Buffer.from(image.bytes).toString('utf8')) as Record<'config', Part> & { layers: Part[] };
  return [config, ...layers].map(({ digest }) => image.blobs.get(digest) ?? Buffer.alloc(0));
}

interface Part {
  readonly digest: Digest;
}

/** An uncompressed tar with one file, as a layer of an image that a real docker takes. */
export function layerTar(name: string, content: Uint8Array): Buffer {
  return tarOf([tarMember({ name, content })]);
}

/** Runs the machine's own tar. */
export function tarOfFolder(folder: string, output: string, ...options: string[]): void {
  execFileSync('tar', ['-C', folder, ...options, '-cf', output, '.'], { stdio: 'pipe' });
}
