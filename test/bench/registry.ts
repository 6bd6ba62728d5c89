import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { corpus, layerBytes, type CorpusImage } from './corpus.ts';

export interface RealRegistry {
  /** host:port on loopback. */
  readonly host: string;
  readonly stop: () => Promise<void>;
}

/** PEM files. */
interface Certificate {
  readonly key: string;
  readonly certificate: string;
}

/** Starts Debian's docker-registry on a free loopback port over a storage folder. */
export async function startRegistry(storage: string, tls?: Certificate): Promise<RealRegistry> {
  await mkdir(storage, { recursive: true });
  const port = await freePort();
  const config = path.join(path.dirname(storage), `registry-${String(port)}.yml`);
  const secured = tls === undefined ? '' : `, tls: {certificate: ${tls.certificate}, key: ${tls.key}}`;
  await writeFile(
    config,
    `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage:\n  filesystem: {rootdirectory: ${storage}, maxthreads: 100}\nhttp: {addr: "127.0.0.1:${String(port)}"${secured}}\n`,
  );
  const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  const host = `127.0.0.1:${String(port)}`;
  await ready(port, child);
  return {
    host,
    stop: async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      await rm(config, { force: true });
    },
  };
}

async function ready(port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (child.exitCode !== null) throw new Error('docker-registry did not start');
    const socket = connect(port, '127.0.0.1');
    const open = await once(socket, 'connect').catch(() => undefined);
    socket.destroy();
    if (open !== undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('docker-registry did not listen within 10 s');
}

/** A loopback port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Fills a registry with the corpus (skips an image that is there). Returns the references without host. */
export async function fill(host: string, scale: number): Promise<readonly string[]> {
  const references: string[] = [];
  for (const image of corpus(scale)) {
    references.push(`${image.name}:v1`);
    const there = await fetch(`http://${host}/v2/${image.name}/manifests/v1`, { method: 'HEAD', headers: { accept: MANIFEST } });
    if (!there.ok) await push(host, image);
  }
  return references;
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

async function push(host: string, image: CorpusImage): Promise<void> {
  const layers = [];
  for (const { seed, size } of image.layers) {
    const digest = digestOf(layerBytes(seed, size));
    await putBlob(host, image.name, digest, size, layerBytes(seed, size));
    layers.push({ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size });
  }
  const config = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      config: {},
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
    }),
  );
  const configDigest = digestOf([config]);
  await putBlob(host, image.name, configDigest, config.length, [config]);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: configDigest, size: config.length },
    layers,
  });
  const put = await fetch(`http://${host}/v2/${image.name}/manifests/v1`, {
    method: 'PUT',
    headers: { 'content-type': MANIFEST },
    body: manifest,
  });
  if (put.status !== 201) throw new Error(`manifest of ${image.name}: ${String(put.status)}`);
}

function digestOf(chunks: Iterable<Buffer>): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}

async function putBlob(host: string, name: string, digest: string, size: number, chunks: Iterable<Buffer>): Promise<void> {
  const start = await fetch(`http://${host}/v2/${name}/blobs/uploads/`, { method: 'POST' });
  const location = new URL(start.headers.get('location') ?? '', `http://${host}`);
  location.searchParams.set('digest', digest);
  const body = ReadableStream.from(chunks);
  const init: RequestInit & { duplex: 'half' } = {
    method: 'PUT',
    headers: { 'content-length': String(size), 'content-type': 'application/octet-stream' },
    body,
    duplex: 'half',
  };
  const put = await fetch(location, init);
  if (put.status !== 201) throw new Error(`blob of ${name}: ${String(put.status)}`);
}
