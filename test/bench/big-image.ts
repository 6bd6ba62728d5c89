import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { layerBytes } from './corpus.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

interface Content {
  readonly type: string;
  readonly size: number;
  readonly bytes: () => Iterable<Buffer>;
}

/** A registry on loopback with one image, `big:v1`, whose only layer is made while it is asked for: nothing of it is on disk. */
export async function serveBigImage(size: number): Promise<{ host: string; end: () => Promise<void> }> {
  const made = (type: string, value: object): Content => {
    const bytes = Buffer.from(JSON.stringify(value));
    return { type, size: bytes.length, bytes: () => [bytes] };
  };
  const layer = { type: 'application/vnd.oci.image.layer.v1.tar', size, bytes: () => layerBytes('big', size) };
  const layerDigest = digestOf(layer);
  const config = made('application/vnd.oci.image.config.v1+json', {
    os: 'linux',
    architecture: 'amd64',
    config: {},
    rootfs: { type: 'layers', diff_ids: [layerDigest] },
  });
  const described = (content: Content, digest: string): object => ({ mediaType: content.type, digest, size: content.size });
  const configDigest = digestOf(config);
  const manifest = made(MANIFEST, {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: described(config, configDigest),
    layers: [described(layer, layerDigest)],
  });
  const manifestDigest = digestOf(manifest);
  const contents = new Map([
    ['/v2/big/manifests/v1', manifest],
    [`/v2/big/manifests/${manifestDigest}`, manifest],
    [`/v2/big/blobs/${configDigest}`, config],
    [`/v2/big/blobs/${layerDigest}`, layer],
  ]);
  const server = createServer((request, response) => {
    const content = contents.get(request.url ?? '');
    if (content === undefined) {
      response.writeHead(request.url === '/v2/' ? 200 : 404).end();
      return;
    }
    response.writeHead(200, { 'content-type': content.type, 'content-length': content.size });
    if (request.method === 'HEAD') response.end();
    else Readable.from(content.bytes()).pipe(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    end: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function digestOf({ bytes }: Content): string {
  const hash = createHash('sha256');
  for (const chunk of bytes()) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}
