import { open } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/core/canonical-json.ts';
import { digestOf, type Digest } from '../../src/core/digest.ts';
import { EMPTY_BLOB, MEDIA } from '../../src/core/oci.ts';
import { LockSchema } from '../../src/lock/lock-schema.ts';
import { buildRelease, smallRelease, type TestRelease } from '../support/bundles.ts';
import { noise } from '../support/images.ts';
import { serveRelease } from '../support/serve.ts';

// The pull and discovery parts of the OCI distribution-spec 1.1, clause by clause, over real HTTP from a real file.

const BUSYBOX = 'docker.io/library/busybox';
const UNKNOWN = digestOf('nobody has this');

interface Errors {
  readonly errors: readonly { readonly code: string; readonly message: string }[];
}

async function codeOf(response: Response): Promise<string> {
  const { errors } = (await response.json()) as Errors;
  return errors[0]?.code ?? '';
}

async function json(url: string): Promise<unknown> {
  return (await fetch(url)).json();
}

/** Four tags of one repository. */
function manyTags(): TestRelease {
  return buildRelease({
    images: ['v2', '1.36', 'Beta', 'alpha'].map((tag) => ({
      reference: `${BUSYBOX}:${tag}`,
      layers: [Buffer.from(tag)],
    })),
  });
}

/** An image with an attestation about it, and a signature about the attestation. */
function withReferrers(): TestRelease & { readonly image: Digest; readonly attestation: Digest; readonly signature: Digest } {
  const { lock, content } = smallRelease();
  const [image] = lock.images;
  if (image === undefined) throw new Error('the small release has images');
  const all = new Map(content).set(EMPTY_BLOB.digest, Buffer.from('{}'));
  const about = (subject: { digest: Digest; size: number }, artifactType: string, tag: string) => {
    const { mediaType, digest, size } = EMPTY_BLOB;
    const empty = { mediaType, digest, size };
    const bytes = Buffer.from(
      canonicalJson({
        schemaVersion: 2,
        mediaType: MEDIA.manifest,
        artifactType,
        config: empty,
        layers: [empty],
        subject: { mediaType: MEDIA.manifest, digest: subject.digest, size: subject.size },
        annotations: { 'org.example.about': tag },
      }),
    );
    const made = { digest: digestOf(bytes), size: bytes.length, mediaType: MEDIA.manifest };
    all.set(made.digest, bytes);
    return { reference: `${BUSYBOX}:${tag}`, ...made, blobs: [empty], neededBy: ['images[0]'] };
  };
  const attestation = about(image, 'application/vnd.in-toto+json', 'att');
  const signature = about(attestation, 'application/vnd.example.signature', 'sig');
  return {
    lock: LockSchema.parse({ ...lock, images: [...lock.images, attestation, signature] }),
    content: all,
    image: image.digest,
    attestation: attestation.digest,
    signature: signature.digest,
  };
}

it('says that it is a registry, at /v2/ and to HEAD', async () => {
  const { url } = await serveRelease(smallRelease());
  for (const method of ['GET', 'HEAD']) {
    const answer = await fetch(`${url}/v2/`, { method });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
  }
});

describe('manifests', () => {
  it('come by tag and by digest, as they are, with type, length and digest; HEAD says the same without them', async () => {
    const { lock, content } = smallRelease();
    const { url } = await serveRelease({ lock, content });
    for (const image of lock.images) {
      const [name = '', tag = ''] = image.reference.split(/:(?=[^/]*$)/);
      for (const reference of [tag, image.digest]) {
        const target = `${url}/v2/${name}/manifests/${reference}`;
        const got = await fetch(target, { headers: { accept: MEDIA.manifest } });
        expect(got.status).toBe(200);
        expect(Buffer.from(await got.arrayBuffer()).equals(content.get(image.digest) ?? Buffer.alloc(0))).toBe(true);
        const head = await fetch(target, { method: 'HEAD' });
        expect(await head.text()).toBe('');
        for (const { headers } of [got, head]) {
          expect(headers.get('content-type')).toBe(image.mediaType);
          expect(headers.get('content-length')).toBe(String(image.size));
          expect(headers.get('docker-content-digest')).toBe(image.digest);
        }
      }
    }
  });

  it.each([undefined, '*/*', MEDIA.index, 'application/json'])(
    'come whatever Accept says (%s): they have one form',
    async (accept) => {
      const { url } = await serveRelease(smallRelease());
      const answer = await fetch(`${url}/v2/${BUSYBOX}/manifests/1.36`, { headers: accept === undefined ? {} : { accept } });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, MEDIA.manifest]);
    },
  );

  it('that are not there are MANIFEST_UNKNOWN, names that are not there NAME_UNKNOWN', async () => {
    const { url, bundle } = await serveRelease(smallRelease());
    const layer = bundle.lock.images[0]?.blobs[1]?.digest ?? '';
    for (const reference of ['1.37', '.INVALID_MANIFEST_NAME', UNKNOWN, layer, 'x'.repeat(200)]) {
      const target = `${url}/v2/${BUSYBOX}/manifests/${reference}`;
      expect((await fetch(target, { method: 'HEAD' })).status).toBe(404);
      expect(await codeOf(await fetch(target))).toBe('MANIFEST_UNKNOWN');
    }
    const nobody = await fetch(`${url}/v2/nobody/manifests/1.36`);
    expect([nobody.status, await codeOf(nobody)]).toEqual([404, 'NAME_UNKNOWN']);
  });

  it('are found below their host, and with ?ns= as containerd asks a _default mirror; never another host’s', async () => {
    const { url } = await serveRelease(
      buildRelease({
        images: [
          { reference: `${BUSYBOX}:1`, layers: [Buffer.from('hub')] },
          { reference: 'quay.io/library/busybox:1', layers: [Buffer.from('quay')] },
          { reference: 'localhost:5000/a/b:1', layers: [Buffer.from('port')] },
        ],
      }),
    );
    const digest = async (target: string): Promise<string | null> =>
      (await fetch(`${url}/v2/${target}`, { method: 'HEAD' })).headers.get('docker-content-digest');
    const hub = await digest(`${BUSYBOX}/manifests/1`);
    const quay = await digest('quay.io/library/busybox/manifests/1');
    expect(new Set([hub, quay, null]).size).toBe(3);
    expect(await digest('library/busybox/manifests/1?ns=docker.io')).toBe(hub);
    expect(await digest(`${BUSYBOX}/manifests/1?ns=docker.io`)).toBe(hub);
    expect(await digest('library/busybox/manifests/1?ns=quay.io')).toBe(quay);
    expect(await digest('a/b/manifests/1?ns=localhost:5000')).toBe(await digest('localhost-5000/a/b/manifests/1'));
    expect(await digest('library/busybox/manifests/1')).toBeNull();
    expect(await digest('library/busybox/manifests/1?ns=ghcr.io')).toBeNull();
    expect(await digest('quay.io/library/busybox/manifests/1?ns=docker.io')).toBeNull();
  });
});

describe('blobs', () => {
  const big = noise(3_000_000, 'a layer');
  const digest = digestOf(big);
  const release = (): TestRelease => buildRelease({ images: [{ reference: 'quay.io/a/b:1', layers: [big] }] });
  const path = `/v2/quay.io/a/b/blobs/${digest}`;

  it('come whole, and HEAD says how long they are', async () => {
    const { url } = await serveRelease(release());
    const got = await fetch(url + path);
    expect(digestOf(Buffer.from(await got.arrayBuffer()))).toBe(digest);
    const head = await fetch(url + path, { method: 'HEAD', headers: { range: 'bytes=0-1' } });
    for (const { status, headers } of [got, head]) {
      expect(status).toBe(200);
      expect(headers.get('content-length')).toBe(String(big.length));
      expect(headers.get('docker-content-digest')).toBe(digest);
      expect(headers.get('accept-ranges')).toBe('bytes');
    }
  });

  it.each([
    ['bytes=0-99', 0, 100],
    ['bytes=1000000-1999999', 1_000_000, 2_000_000],
    ['bytes=2999999-', 2_999_999, 3_000_000],
    ['bytes=-5', 2_999_995, 3_000_000],
    ['bytes=0-', 0, 3_000_000],
  ])('come in parts: %s', async (range, from, to) => {
    const { url } = await serveRelease(release());
    const part = await fetch(url + path, { headers: { range } });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes ${from}-${to - 1}/3000000`);
    expect(part.headers.get('content-length')).toBe(String(to - from));
    expect(Buffer.from(await part.arrayBuffer()).equals(big.subarray(from, to))).toBe(true);
  });

  it('answer 416 with their size to a part behind their end', async () => {
    const { url } = await serveRelease(release());
    const part = await fetch(url + path, { headers: { range: 'bytes=3000000-' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([416, 'bytes */3000000']);
  });

  it('come whole when the Range is none, is many, or depends on a validator that was never given', async () => {
    const { url } = await serveRelease(release());
    const many = `bytes=${Array.from({ length: 1000 }, (_, at) => `${at}-${at}`).join(',')}`;
    for (const headers of [{ range: 'lines=1-2' }, { range: many }, { range: 'bytes=0-1', 'if-range': '"x"' }]) {
      const answer = await fetch(url + path, { headers });
      expect([answer.status, (await answer.arrayBuffer()).byteLength]).toEqual([200, big.length]);
    }
  });

  it('are only in repositories that need them', async () => {
    const { url } = await serveRelease(smallRelease());
    const { lock } = smallRelease();
    const [one, two] = lock.images;
    const shared = one?.blobs[1]?.digest ?? '';
    const own = one?.blobs[2]?.digest ?? '';
    const other = (two?.reference ?? '').split(':')[0] ?? '';
    const status = async (name: string, blob: string): Promise<number> => (await fetch(`${url}/v2/${name}/blobs/${blob}`)).status;
    expect([await status(BUSYBOX, shared), await status(other, shared), await status(BUSYBOX, own)]).toEqual([200, 200, 200]);
    const foreign = await fetch(`${url}/v2/${other}/blobs/${own}`);
    expect([foreign.status, await codeOf(foreign)]).toEqual([404, 'BLOB_UNKNOWN']);
    expect(await codeOf(await fetch(`${url}/v2/${BUSYBOX}/blobs/${UNKNOWN}`))).toBe('BLOB_UNKNOWN');
    const sha512 = `sha512:${'0'.repeat(128)}`;
    expect(await codeOf(await fetch(`${url}/v2/${BUSYBOX}/blobs/${sha512}`))).toBe('BLOB_UNKNOWN');
    const malformed = await fetch(`${url}/v2/${BUSYBOX}/blobs/sha256:wrong`);
    expect([malformed.status, await codeOf(malformed)]).toEqual([400, 'DIGEST_INVALID']);
  });

  it('never end well when the file was changed: whole ones are cut off, parts are refused', async () => {
    const { url, bundle, path: file, log } = await serveRelease(release());
    const handle = await open(file, 'r+');
    await handle.write(Buffer.from([1, 2, 3]), 0, 3, (bundle.blobs.get(digest)?.offset ?? 0) + 1_500_000);
    await handle.close();
    await expect(fetch(url + path).then((answer) => answer.arrayBuffer())).rejects.toThrow();
    const part = await fetch(url + path, { headers: { range: 'bytes=0-9' } });
    expect([part.status, await codeOf(part)]).toEqual([500, 'UNKNOWN']);
    expect(log.map(({ broken }) => broken === undefined)).toEqual([false, false]);
  });

  it('of one piece that are damaged are an error, not a body', async () => {
    const { url, bundle, path: file } = await serveRelease(smallRelease());
    const layer = bundle.lock.images[0]?.blobs[1]?.digest ?? UNKNOWN;
    const handle = await open(file, 'r+');
    await handle.write(Buffer.from('X'), 0, 1, bundle.blobs.get(layer)?.offset);
    await handle.close();
    const answer = await fetch(`${url}/v2/${BUSYBOX}/blobs/${layer}`);
    expect([answer.status, await codeOf(answer)]).toEqual([500, 'UNKNOWN']);
  });
});

describe('lists', () => {
  it('of tags are in order, and come in pages that link to the next', async () => {
    const { url } = await serveRelease(manyTags());
    const all = { name: BUSYBOX, tags: ['1.36', 'Beta', 'alpha', 'v2'] };
    expect(await json(`${url}/v2/${BUSYBOX}/tags/list`)).toEqual(all);
    const seen: unknown[] = [];
    for (let next: string | undefined = `/v2/${BUSYBOX}/tags/list?n=3`; next !== undefined;) {
      const page: Response = await fetch(url + next);
      seen.push(await page.json());
      next = /^<([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
    }
    expect(seen).toEqual([
      { name: BUSYBOX, tags: ['1.36', 'Beta', 'alpha'] },
      { name: BUSYBOX, tags: ['v2'] },
    ]);
    const none = await fetch(`${url}/v2/${BUSYBOX}/tags/list?n=0`);
    expect([await none.json(), none.headers.get('link')]).toEqual([{ name: BUSYBOX, tags: [] }, null]);
    expect((await fetch(`${url}/v2/${BUSYBOX}/tags/list?n=-1`)).status).toBe(400);
    expect(await codeOf(await fetch(`${url}/v2/nobody/tags/list`))).toBe('NAME_UNKNOWN');
  });

  it('name every image, chart and file, and the release', async () => {
    const { url } = await serveRelease(smallRelease());
    expect(await json(`${url}/v2/_catalog`)).toEqual({
      repositories: [
        'charts/web',
        BUSYBOX,
        'dockerhub.kubekey.local/project/gatekeeper',
        'files/runbook',
        'releases/gatekeeper-suite',
      ],
    });
    expect(await json(`${url}/v2/_catalog?n=1&last=charts/web`)).toEqual({ repositories: [BUSYBOX] });
  });

  it('let a file and the lock be pulled as artifacts', async () => {
    const { lock, content } = smallRelease();
    const { url, bundle } = await serveRelease({ lock, content });
    for (const [name, first] of [
      ['files/runbook', lock.files[0]?.digest ?? ''],
      ['releases/gatekeeper-suite', undefined],
    ] as const) {
      const { config, layers } = (await json(`${url}/v2/${name}/manifests/3.6.2`)) as Record<'config', { digest: string }> & {
        layers: { digest: string }[];
      };
      for (const part of [config, ...layers]) {
        const blob = Buffer.from(await (await fetch(`${url}/v2/${name}/blobs/${part.digest}`)).arrayBuffer());
        expect(digestOf(blob)).toBe(part.digest);
      }
      if (first !== undefined) expect(layers[0]?.digest).toBe(first);
    }
    const root = await fetch(`${url}/v2/releases/gatekeeper-suite/manifests/3.6.2`, { method: 'HEAD' });
    expect(root.headers.get('docker-content-digest')).toBe(bundle.root.digest);
  });
});

describe('referrers', () => {
  interface Index {
    readonly manifests: readonly { readonly digest: string; readonly artifactType: string; readonly annotations: unknown }[];
  }

  it('are listed with type and annotations, and filtered when asked', async () => {
    const release = withReferrers();
    const { url } = await serveRelease(release);
    const target = `${url}/v2/${BUSYBOX}/referrers/${release.image}`;
    const answer = await fetch(target);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, MEDIA.index]);
    expect(await answer.json()).toMatchObject({
      schemaVersion: 2,
      mediaType: MEDIA.index,
      manifests: [
        {
          mediaType: MEDIA.manifest,
          digest: release.attestation,
          artifactType: 'application/vnd.in-toto+json',
          annotations: { 'org.example.about': 'att' },
        },
      ],
    });
    expect(answer.headers.get('oci-filters-applied')).toBeNull();
    for (const [type, count] of [
      ['application/vnd.in-toto+json', 1],
      ['application/other', 0],
    ] as const) {
      const filtered = await fetch(`${target}?artifactType=${encodeURIComponent(type)}`);
      expect(filtered.headers.get('oci-filters-applied')).toBe('artifactType');
      expect(((await filtered.json()) as Index).manifests).toHaveLength(count);
    }
    const signatures = (await json(`${url}/v2/${BUSYBOX}/referrers/${release.attestation}`)) as Index;
    expect(signatures.manifests.map(({ digest }) => digest)).toEqual([release.signature]);
  });

  it('of the release are its signatures, and those can be pulled', async () => {
    const { url, bundle } = await serveRelease(smallRelease(), { signatures: ['one', 'two'] });
    const name = 'releases/gatekeeper-suite';
    const index = (await json(`${url}/v2/${name}/referrers/${bundle.root.digest}`)) as Index;
    expect(index.manifests.map(({ artifactType }) => artifactType)).toEqual([MEDIA.sshsig, MEDIA.sshsig]);
    const texts = await Promise.all(
      index.manifests.map(async ({ digest }) => {
        const { layers } = (await json(`${url}/v2/${name}/manifests/${digest}`)) as { layers: { digest: string }[] };
        return (await fetch(`${url}/v2/${name}/blobs/${layers[0]?.digest ?? ''}`)).text();
      }),
    );
    expect(texts).toEqual(['one', 'two']);
  });

  it('are an empty list for what nothing refers to, here or in no repository, never 404', async () => {
    const { url } = await serveRelease(smallRelease());
    for (const name of [BUSYBOX, 'nobody']) {
      const answer = await fetch(`${url}/v2/${name}/referrers/${UNKNOWN}`);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, MEDIA.index]);
      expect(await answer.json()).toEqual({ schemaVersion: 2, mediaType: MEDIA.index, manifests: [] });
    }
    expect((await fetch(`${url}/v2/${BUSYBOX}/referrers/sha256:x`)).status).toBe(400);
  });
});

describe('whatever would write', () => {
  it.each([
    ['PUT', `/v2/${BUSYBOX}/manifests/new`],
    ['DELETE', `/v2/${BUSYBOX}/manifests/1.36`],
    ['DELETE', `/v2/${BUSYBOX}/blobs/${UNKNOWN}`],
    ['POST', `/v2/${BUSYBOX}/blobs/uploads/`],
    ['POST', `/v2/${BUSYBOX}/blobs/uploads/?mount=${UNKNOWN}&from=a`],
    ['PATCH', `/v2/${BUSYBOX}/blobs/uploads/1`],
    ['POST', '/v2/'],
  ])('%s %s is UNSUPPORTED', async (method, path) => {
    const { url } = await serveRelease(smallRelease());
    const body = method === 'DELETE' ? {} : { body: '{}' };
    const answer = await fetch(url + path, { method, ...body });
    expect([answer.status, answer.headers.get('allow'), await codeOf(answer)]).toEqual([405, 'GET, HEAD', 'UNSUPPORTED']);
  });

  it('to a digest that is none is told so first', async () => {
    const { url } = await serveRelease(smallRelease());
    const answer = await fetch(`${url}/v2/${BUSYBOX}/manifests/sha256:totallywrong`, { method: 'PUT', body: 'x' });
    expect([answer.status, await codeOf(answer)]).toEqual([400, 'DIGEST_INVALID']);
  });
});

describe('a hostile client', () => {
  /** As it is written, without the mending that fetch does. */
  async function raw(url: string, path: string): Promise<number> {
    const request = httpRequest(url, { path, agent: false }).end();
    const [response] = (await once(request, 'response')) as [{ statusCode: number; resume(): void }];
    response.resume();
    return response.statusCode;
  }

  it('gets no file of this machine, no list of a folder, and no crash', async () => {
    const { url, log } = await serveRelease(smallRelease());
    for (const path of [
      '/v2/../../../../etc/passwd',
      '/etc/passwd',
      '/v2/a/%2e%2e/manifests/x',
      '/v2/a%2fb/tags/list',
      '/',
      '//',
    ])
      expect(await raw(url, path)).toBeGreaterThanOrEqual(400);
    expect(log).toHaveLength(6);
    expect((await fetch(`${url}/v2/`)).status).toBe(200);
  });

  it('is refused endless headers', async () => {
    const { url } = await serveRelease(smallRelease());
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write(`GET /v2/ HTTP/1.1\r\nHost: x\r\nRange: bytes=${'0-1,'.repeat(10_000)}\r\n\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(answer.toString('latin1', 0, 12)).toBe('HTTP/1.1 431');
  });

  it('that goes away in the middle costs nobody else anything', async () => {
    const big = noise(8_000_000, 'a long layer');
    const { url, log } = await serveRelease(buildRelease({ images: [{ reference: 'quay.io/a/b:1', layers: [big] }] }));
    const target = `${url}/v2/quay.io/a/b/blobs/${digestOf(big)}`;
    const stop = new AbortController();
    const leaving = fetch(target, { signal: stop.signal });
    await leaving;
    stop.abort();
    const staying = await fetch(target);
    expect(digestOf(Buffer.from(await staying.arrayBuffer()))).toBe(digestOf(big));
    await expect.poll(() => log.length, { timeout: 5000 }).toBe(2);
  });
});

it('answers many at once', async () => {
  const layers = [noise(600_000, 'x'), noise(700_000, 'y')];
  const { url } = await serveRelease(buildRelease({ images: [{ reference: 'quay.io/a/b:1', layers }] }));
  const wanted = Array.from({ length: 200 }, (_, at) => layers[at % 2] ?? new Uint8Array());
  const got = await Promise.all(
    wanted.map(async (layer, at) => {
      const range: Record<string, string> = at % 3 === 0 ? { range: 'bytes=100-299999' } : {};
      const answer = await fetch(`${url}/v2/quay.io/a/b/blobs/${digestOf(layer)}`, { headers: range });
      const bytes = Buffer.from(await answer.arrayBuffer());
      return bytes.equals(at % 3 === 0 ? layer.subarray(100, 300_000) : layer);
    }),
  );
  expect(got.filter((same) => !same)).toEqual([]);
});
