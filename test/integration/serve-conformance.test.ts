import { request as plainRequest, Agent as PlainAgent, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { Agent, request as secureRequest } from 'node:https';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { digestOf, type Digest } from '../../src/core/digest.ts';
import { EMPTY_BLOB, MEDIA } from '../../src/core/oci.ts';
import { LockSchema } from '../../src/lock/lock-schema.ts';
import type { TestRelease } from '../support/bundles.ts';
import { folderWith } from '../support/files.ts';
import { artifactAbout, releaseOf, type NamedImage } from '../support/image-release.ts';
import { buildImage, buildIndex, noise, type BuiltImage } from '../support/images.ts';
import { serveRelease } from '../support/serve.ts';

// What the conformance tests of the distribution-spec ask of a registry that is only pulled from, in our words: their kinds of
// content (images, indexes, indexes of indexes, artifacts, referrers with and without their subject, large manifests, empty
// blobs), and for each of them lists, HEAD, GET, ranges and referrers.

const NAME = 'registry.example/conformance/all';
const TYPE_A = 'application/vnd.example.conf.a';
const TYPE_B = 'application/vnd.example.conf.b';
const MISSING = digestOf('content that is missing');
const ErrorBody = z.object({ errors: z.array(z.object({ code: z.string(), message: z.string() })).min(1) });
const ReferrerList = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.literal(MEDIA.index),
  manifests: z.array(
    z.object({
      mediaType: z.string(),
      digest: z.string(),
      size: z.number(),
      artifactType: z.string().optional(),
      annotations: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

interface Content {
  readonly release: TestRelease;
  readonly images: readonly NamedImage[];
  readonly subject: Digest;
}

/** Every kind of content, in one repository. */
function allKinds(): Content {
  const image = buildImage({ layers: [noise(2048, 'ranges'), new Uint8Array()], seed: 'conformance' });
  const index = buildIndex([
    buildImage({ seed: 'amd64' }),
    buildImage({ seed: 'arm64', platform: { os: 'linux', architecture: 'arm64' } }),
  ]);
  const large: Record<string, string> = {};
  for (let at = 0; at < 390; at += 1) large[`large-annotation-${String(at)}`] = 'A'.repeat(10_000);
  const about = (subject: Digest, artifactType: string, note: string): BuiltImage =>
    artifactAbout({ subject: { digest: subject, size: 123 }, artifactType, annotations: { 'org.example.note': note } });
  const subject = image.descriptor.digest;
  const images: NamedImage[] = [
    ['image', image],
    ['index', index],
    ['nested', buildIndex([index, buildIndex([buildImage({ seed: 'deep' })])])],
    ['no-layers', buildImage({ layers: [] })],
    ['docker', buildImage({ docker: true, seed: 'docker' })],
    ['large', buildImage({ annotations: large, seed: 'large' })],
    ['ref-a1', about(subject, TYPE_A, 'a1')],
    ['ref-a2', about(subject, TYPE_A, 'a2')],
    ['ref-b1', about(subject, TYPE_B, 'b1')],
    ['ref-config', artifactAbout({ subject: { digest: subject, size: 123 }, configType: TYPE_B })],
    ['ref-missing', about(MISSING, TYPE_A, 'about nothing here')],
    ['ref-index', about(index.descriptor.digest, TYPE_A, 'about an index')],
    ['Upper', buildImage({ seed: 'upper' })],
  ].map(([tag, built]) => ({ reference: `${NAME}:${tag as string}`, image: built as BuiltImage }));
  return { release: releaseOf(images), images, subject };
}

const repository = `/v2/${NAME}`;

async function errorOf(response: Response): Promise<[number, string]> {
  expect(response.headers.get('content-type')).toBe('application/json');
  return [response.status, ErrorBody.parse(await response.json()).errors[0]?.code ?? ''];
}

describe('a repository of every kind of content', () => {
  it('gives every manifest by tag and by digest, byte for byte, to GET and HEAD', async () => {
    const { release, images } = allKinds();
    const { url } = await serveRelease(release);
    const accept = `${MEDIA.index}, ${MEDIA.manifest}`;
    for (const { reference, image } of images) {
      const tag = reference.slice(reference.lastIndexOf(':') + 1);
      const wanted = [[tag, image] as const, ...image.manifests.map((one) => [one.descriptor.digest, one] as const)];
      for (const [name, { descriptor, bytes }] of wanted) {
        const got = await fetch(`${url}${repository}/manifests/${name}`, { headers: { accept } });
        expect(Buffer.from(await got.arrayBuffer()).equals(bytes)).toBe(true);
        const head = await fetch(`${url}${repository}/manifests/${name}`, { method: 'HEAD', headers: { accept } });
        expect(await head.text()).toBe('');
        for (const { status, headers } of [got, head]) {
          expect([status, headers.get('content-type'), headers.get('content-length')]).toEqual([
            200,
            descriptor.mediaType,
            String(bytes.byteLength),
          ]);
          expect(headers.get('docker-content-digest')).toBe(descriptor.digest);
        }
      }
    }
  });

  it('gives every blob whole to GET, and its length to HEAD, the one of no bytes too', async () => {
    const { release, images } = allKinds();
    const { url } = await serveRelease(release);
    const blobs = new Map(images.flatMap(({ image }) => [...image.blobs]));
    expect([...blobs.values()].some((bytes) => bytes.byteLength === 0)).toBe(true);
    expect(blobs.has(EMPTY_BLOB.digest)).toBe(true);
    for (const [digest, bytes] of blobs) {
      const got = await fetch(`${url}${repository}/blobs/${digest}`);
      expect(Buffer.from(await got.arrayBuffer()).equals(bytes)).toBe(true);
      const head = await fetch(`${url}${repository}/blobs/${digest}`, { method: 'HEAD' });
      expect(await head.text()).toBe('');
      for (const { status, headers } of [got, head]) {
        expect([status, headers.get('content-length')]).toEqual([200, String(bytes.byteLength)]);
        expect(headers.get('docker-content-digest')).toBe(digest);
      }
    }
  });

  it.each([
    ['bytes=500-1499', 500, 1500],
    ['bytes=500-', 500, 2048],
    ['bytes=-500', 1548, 2048],
    ['bytes=2000-5000', 2000, 2048],
  ])('gives a part of a blob: %s', async (range, from, to) => {
    const { url } = await serveRelease(allKinds().release);
    const blob = noise(2048, 'ranges');
    const part = await fetch(`${url}${repository}/blobs/${digestOf(blob)}`, { headers: { range } });
    expect([part.status, part.headers.get('content-range'), part.headers.get('content-length')]).toEqual([
      206,
      `bytes ${String(from)}-${String(to - 1)}/2048`,
      String(to - from),
    ]);
    expect(Buffer.from(await part.arrayBuffer()).equals(blob.subarray(from, to))).toBe(true);
  });

  it.each(['bytes=500-0', 'bytes=5000-10000', 'bytes=2048-', 'bytes=-0'])('refuses a part that is none: %s', async (range) => {
    const { url } = await serveRelease(allKinds().release);
    const part = await fetch(`${url}${repository}/blobs/${digestOf(noise(2048, 'ranges'))}`, { headers: { range } });
    expect(part.headers.get('content-range')).toBe('bytes */2048');
    expect(await errorOf(part)).toEqual([416, 'RANGE_INVALID']);
  });

  it('lists its tags by character code, and from any tag on', async () => {
    const { release, images } = allKinds();
    const { url } = await serveRelease(release);
    const tags = images.map(({ reference }) => reference.slice(reference.lastIndexOf(':') + 1)).sort();
    const list = async (query: string): Promise<unknown> => (await fetch(`${url}${repository}/tags/list${query}`)).json();
    expect(await list('')).toEqual({ name: NAME, tags });
    for (const [at, last] of tags.entries()) {
      expect(await list(`?last=${last}`)).toEqual({ name: NAME, tags: tags.slice(at + 1) });
      expect(await list(`?n=2&last=${last}`)).toEqual({ name: NAME, tags: tags.slice(at + 1, at + 3) });
    }
    const seen: string[] = [];
    let next: string | undefined = `${repository}/tags/list?n=5`;
    for (let page = 0; next !== undefined && page < tags.length; page += 1) {
      const answer: Response = await fetch(url + next);
      seen.push(...z.object({ tags: z.array(z.string()) }).parse(await answer.json()).tags);
      next = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
    }
    expect(seen).toEqual(tags);
  });

  it('lists what refers to a manifest as its descriptors, filtered when asked, its subject here or not', async () => {
    const { release, images, subject } = allKinds();
    const { url } = await serveRelease(release);
    const named = (tag: string): BuiltImage['descriptor'] | undefined =>
      images.find(({ reference }) => reference.endsWith(`:${tag}`))?.image.descriptor;
    const list = async (digest: string, query = '') => {
      const answer = await fetch(`${url}${repository}/referrers/${digest}${query}`);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, MEDIA.index]);
      const { manifests } = ReferrerList.parse(await answer.json());
      return { manifests, filters: answer.headers.get('oci-filters-applied') };
    };
    const all = await list(subject);
    expect(all.filters).toBeNull();
    expect(all.manifests.map(({ digest }) => digest).sort()).toEqual(
      ['ref-a1', 'ref-a2', 'ref-b1', 'ref-config'].map((tag) => named(tag)?.digest ?? '').sort(),
    );
    expect(all.manifests).toContainEqual({
      mediaType: MEDIA.manifest,
      digest: named('ref-a1')?.digest,
      size: named('ref-a1')?.size,
      artifactType: TYPE_A,
      annotations: { 'org.example.note': 'a1' },
    });
    for (const [type, tags] of [
      [TYPE_A, ['ref-a1', 'ref-a2']],
      [TYPE_B, ['ref-b1', 'ref-config']],
      ['application/nobody', []],
    ] as const) {
      const filtered = await list(subject, `?artifactType=${encodeURIComponent(type)}`);
      expect(filtered.filters).toBe('artifactType');
      expect(filtered.manifests.map(({ digest }) => digest).sort()).toEqual(tags.map((tag) => named(tag)?.digest ?? '').sort());
    }
    expect((await list(MISSING)).manifests.map(({ digest }) => digest)).toEqual([named('ref-missing')?.digest]);
    expect((await list(named('index')?.digest ?? '')).manifests.map(({ digest }) => digest)).toEqual([
      named('ref-index')?.digest,
    ]);
    expect((await list(digestOf('nobody refers to it'))).manifests).toEqual([]);
  });

  it('says 404, with the code that fits, for what is not there', async () => {
    const { url } = await serveRelease(allKinds().release);
    const cases: readonly (readonly [string, number, string])[] = [
      [`${repository}/manifests/missing-tag`, 404, 'MANIFEST_UNKNOWN'],
      [`${repository}/manifests/${MISSING}`, 404, 'MANIFEST_UNKNOWN'],
      [`${repository}/manifests/sha256:baddigeststring`, 400, 'DIGEST_INVALID'],
      [`${repository}/blobs/${MISSING}`, 404, 'BLOB_UNKNOWN'],
      [`${repository}/blobs/sha256:baddigeststring`, 400, 'DIGEST_INVALID'],
      [`${repository}/blobs/sha512:${'0'.repeat(128)}`, 404, 'BLOB_UNKNOWN'],
      ['/v2/nobody/manifests/latest', 404, 'NAME_UNKNOWN'],
      [`/v2/nobody/blobs/${MISSING}`, 404, 'NAME_UNKNOWN'],
      ['/v2/nobody/tags/list', 404, 'NAME_UNKNOWN'],
      [`${repository}/blobs/uploads/some-session`, 404, 'BLOB_UPLOAD_UNKNOWN'],
    ];
    for (const [path, status, code] of cases) {
      expect(await errorOf(await fetch(url + path))).toEqual([status, code]);
      expect((await fetch(url + path, { method: 'HEAD' })).status).toBe(status);
    }
  });

  it.each([
    ['POST', `${repository}/blobs/uploads/`],
    ['POST', `${repository}/blobs/uploads/?digest=${MISSING}`],
    ['PATCH', `${repository}/blobs/uploads/some-session`],
    ['PUT', `${repository}/blobs/uploads/some-session?digest=${MISSING}`],
    ['DELETE', `${repository}/blobs/uploads/some-session`],
    ['PUT', `${repository}/manifests/new`],
    ['DELETE', `${repository}/manifests/image`],
    ['DELETE', `${repository}/manifests/${MISSING}`],
    ['DELETE', `${repository}/blobs/${MISSING}`],
    ['POST', `${repository}/blobs/uploads/?mount=${MISSING}&from=other`],
    ['PUT', `${repository}/referrers/${MISSING}`],
    ['POST', `${repository}/tags/list`],
  ])('refuses to write: %s %s', async (method, path) => {
    const { url } = await serveRelease(allKinds().release);
    const answer = await fetch(url + path, { method, ...(method === 'DELETE' ? {} : { body: 'some bytes' }) });
    expect(answer.headers.get('allow')).toBe('GET, HEAD');
    expect(await errorOf(answer)).toEqual([405, 'UNSUPPORTED']);
  });
});

describe('connections', () => {
  interface Answer {
    readonly status: number;
    readonly digest: Digest;
    readonly port: number;
  }

  /** One request over a kept connection, its body read to the end. */
  async function ask(url: string, agent: Agent | PlainAgent, path: string, method: string, ca?: string): Promise<Answer> {
    const request = url.startsWith('https:')
      ? secureRequest(url + path, { agent: agent, method, ...(ca === undefined ? {} : { ca }) })
      : plainRequest(url + path, { agent, method });
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const port = response.socket.localPort ?? 0;
    const chunks: Uint8Array[] = [];
    for await (const chunk of response as AsyncIterable<Uint8Array>) chunks.push(chunk);
    return { status: response.statusCode ?? 0, digest: digestOf(Buffer.concat(chunks)), port };
  }

  it('stay open from one answer to the next, HEAD, errors and parts included', async () => {
    const { url } = await serveRelease(allKinds().release);
    const agent = new PlainAgent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => {
      agent.destroy();
    });
    const paths = ['/v2/', `${repository}/manifests/image`, `${repository}/blobs/${MISSING}`, `${repository}/tags/list`];
    const answers: Answer[] = [];
    for (const path of [...paths, ...paths]) {
      for (const method of ['GET', 'HEAD']) answers.push(await ask(url, agent, path, method));
    }
    expect(new Set(answers.map(({ port }) => port)).size).toBe(1);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 404]));
  });

  it('fifty at once over TLS each get the bytes that they asked for', async () => {
    const folder = await folderWith();
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2', '-nodes'];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    await execa('openssl', ['req', '-x509', ...curve, ...subject, '-out', cert, '-keyout', key], { timeout: 15_000 });
    const tls = { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
    const layers = Array.from({ length: 5 }, (_, at) => noise(400_000 + at, `tls ${String(at)}`));
    const images = [{ reference: `${NAME}:1`, image: buildImage({ layers }) }];
    const { url, log } = await serveRelease(releaseOf(images), { tls });
    const agent = new Agent({ keepAlive: true, maxSockets: 50 });
    onTestFinished(() => {
      agent.destroy();
    });
    const wanted = Array.from({ length: 200 }, (_, at) => digestOf(layers[at % layers.length] ?? new Uint8Array()));
    const got = await Promise.all(
      wanted.map((digest, at) => ask(url, agent, `${repository}/blobs/${digest}`, at % 5 === 4 ? 'HEAD' : 'GET', tls.cert)),
    );
    expect(got.every(({ status }) => status === 200)).toBe(true);
    const bodies = got.filter((_, at) => at % 5 !== 4).map(({ digest }) => digest);
    expect(bodies).toEqual(wanted.filter((_, at) => at % 5 !== 4));
    expect(new Set(got.map(({ port }) => port)).size).toBeLessThanOrEqual(50);
    expect(log.filter(({ broken }) => broken !== undefined)).toEqual([]);
  });
});

it('takes the lock of these tests as any other', () => {
  expect(LockSchema.safeParse(allKinds().release.lock).success).toBe(true);
});
