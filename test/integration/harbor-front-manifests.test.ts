import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OCI_INDEX, OCI_MANIFEST, content, describe as described, imageOf, openBench, sha256 } from '../lab/harbor/harness.ts';
import type { Answer, Ask, Bench, Content } from '../lab/harbor/harness.ts';

let bench: Bench;
let image: Content;
beforeAll(async () => {
  bench = await openBench();
  await bench.project('p1');
  image = await bench.pushImage('p1/app', 'v1');
});
afterAll(() => bench.close());

const error = (code: string, message: string): object => ({ errors: [{ code, message }] });
const get = (repository: string, reference: string, accept?: string, method = 'GET'): Promise<Answer> =>
  bench.ask(method, `/v2/${repository}/manifests/${reference}`, accept === undefined ? {} : { headers: { accept } });
const EMPTY = content('application/vnd.oci.empty.v1+json', '{}');
const artifacts = async (repository: string, query = ''): Promise<Record<string, unknown>[]> =>
  (await bench.api('GET', `/projects/p1/repositories/${repository}/artifacts${query}`)).json as Record<string, unknown>[];

describe('a manifest', () => {
  it('is put once and again, by tag and by digest', async () => {
    const { manifest } = imageOf('one');
    for (const reference of ['v1', 'v1', image.digest]) {
      const answer = await bench.pushManifest('p1/app', reference, manifest);
      expect([answer.status, answer.headers['docker-content-digest'], answer.headers['content-length']]).toEqual([
        201,
        image.digest,
        '0',
      ]);
      expect(answer.headers.location).toBe(`${bench.harbor.url}/v2/p1/app/manifests/${image.digest}`);
    }
    const six = await Promise.all([1, 2, 3, 4, 5, 6].map(() => bench.pushManifest('p1/app', 'race', manifest)));
    expect(six.every((answer) => answer.status === 201)).toBe(true);
  });

  it('of OCI type is not found without the matching Accept', async () => {
    const words = 'OCI manifest found, but accept header does not support OCI manifests';
    for (const accept of [undefined, '*/*', OCI_INDEX]) {
      const answer = await get('p1/app', 'v1', accept);
      expect([answer.status, answer.json]).toEqual([404, error('MANIFEST_UNKNOWN', words)]);
    }
    const found = await get('p1/app', 'v1', `${OCI_INDEX}, ${OCI_MANIFEST}`);
    expect([found.status, sha256(found.text)]).toEqual([200, image.digest]);
    expect((await get('p1/app', 'v1', OCI_MANIFEST, 'HEAD')).headers['docker-content-digest']).toBe(image.digest);
  });

  it('that is missing is NOT_FOUND, by artifact or by repository', async () => {
    expect((await get('p1/app', 'none', OCI_MANIFEST)).json).toEqual(error('NOT_FOUND', 'artifact p1/app:none not found'));
    expect((await get('p1/none', 'v1', OCI_MANIFEST)).json).toEqual(error('NOT_FOUND', 'repository p1/none not found'));
  });

  it('needs every blob in that very repository, and lists all that lack', async () => {
    const { manifest, config, layer } = imageOf('one');
    const answer = await bench.pushManifest('p1/second', 'v1', manifest);
    const lacking = [config, layer].map(({ digest }) => ({
      code: 'MANIFEST_BLOB_UNKNOWN',
      message: 'blob unknown to registry',
      detail: digest,
    }));
    expect([answer.status, answer.json]).toEqual([400, { errors: lacking }]);
  });

  it('is refused for what it is not', async () => {
    const put = (reference: string, body: string, type = OCI_MANIFEST): Promise<Answer> =>
      bench.ask('PUT', `/v2/p1/app/manifests/${reference}`, { body: Buffer.from(body), headers: { 'content-type': type } });
    const text = image.bytes.toString();
    const unmarshal = "unmarshal manifest failed: invalid character 'o' in literal null (expecting 'u')";
    expect((await put('x', 'not json')).json).toEqual(error('MANIFEST_INVALID', unmarshal));
    for (const type of ['application/json', 'application/vnd.oci.artifact.manifest.v1+json']) {
      expect((await put('x', text, type)).json).toEqual(
        error('MANIFEST_INVALID', 'unmarshal manifest failed: missing signature key'),
      );
    }
    expect((await put('x', text.replace(OCI_MANIFEST, OCI_INDEX))).json).toEqual(
      error('MANIFEST_INVALID', `if present, mediaType in manifest should be '${OCI_MANIFEST}' not '${OCI_INDEX}'`),
    );
    const huge = await put('x', JSON.stringify({ filler: 'x'.repeat(4 * 1024 * 1024) }));
    expect([huge.status, huge.json]).toEqual([413, error('REQUEST_ENTITY_TOO_LARGE', 'request entity too large')]);
    expect((await put(sha256('other'), text)).json).toMatchObject({ errors: [{ code: 'DIGEST_INVALID' }] });
    for (const tag of ['bad!tag', '-dash', 'x'.repeat(129)]) {
      expect((await put(tag, text)).json).toEqual(error('BAD_REQUEST', `bad request: invalid tag name: ${tag}`));
    }
  });

  it('may have no layers, no mediaType, and foreign layers with an URL', async () => {
    const { config } = imageOf('one');
    const foreign = { mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar', digest: sha256('far'), size: 3 };
    const bare = { schemaVersion: 2, config: described(config), layers: [] as object[] };
    expect((await bench.pushManifest('p1/app', 'bare', bare)).status).toBe(201);
    const away = { ...bare, layers: [{ ...foreign, urls: ['https://example.com/far'] }] };
    expect((await bench.pushManifest('p1/app', 'away', away)).status).toBe(201);
    expect((await bench.pushManifest('p1/app', 'lost', { ...bare, layers: [foreign] })).status).toBe(400);
  });

  it('is deleted by digest only', async () => {
    const gone = await bench.pushImage('p1/gone', 'v1', 'gone');
    const byTag = await bench.ask('DELETE', '/v2/p1/gone/manifests/v1');
    expect([byTag.status, byTag.json]).toEqual([
      400,
      error('UNSUPPORTED', 'unsupported digest v1: invalid checksum digest format'),
    ]);
    expect((await bench.ask('DELETE', `/v2/p1/gone/manifests/${gone.digest}`)).status).toBe(202);
    expect((await bench.ask('DELETE', `/v2/p1/gone/manifests/${gone.digest}`)).status).toBe(404);
    expect((await bench.ask('GET', '/v2/p1/gone/tags/list')).json).toEqual({ name: 'p1/gone', tags: [] });
    expect((await bench.ask('GET', '/v2/p1/none/tags/list')).status).toBe(404);
  });

  it('is listed by tag, in pages', async () => {
    for (const tag of ['a', 'b', 'c']) await bench.pushImage('p1/paged', tag);
    const page = await bench.ask('GET', '/v2/p1/paged/tags/list?n=2');
    expect(page.json).toEqual({ name: 'p1/paged', tags: ['a', 'b'] });
    const next = /<(.*)>/.exec(page.headers.link ?? '')?.[1] ?? '';
    expect((await bench.ask('GET', next)).json).toEqual({ name: 'p1/paged', tags: ['c'] });
  });
});

describe('an index', () => {
  const index = (...children: object[]): object => ({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: children });
  const amd64 = { architecture: 'amd64', os: 'linux' };

  it('needs its children in the repository first', async () => {
    const child = await bench.pushImage('p1/multi', 'child', 'multi');
    const absent = { mediaType: OCI_MANIFEST, digest: sha256('absent'), size: 6 };
    const sparse = await bench.pushManifest('p1/multi', 'v1', index(described(child), absent));
    expect([sparse.status, sparse.json]).toMatchObject([
      400,
      { errors: [{ code: 'MANIFEST_BLOB_UNKNOWN', detail: absent.digest }] },
    ]);
    expect((await bench.pushManifest('p1/multi', 'v1', index({ ...described(child), platform: amd64 }))).status).toBe(201);
    expect((await get('p1/multi', 'v1', OCI_MANIFEST)).text).toContain(
      'OCI index found, but accept header does not support OCI indexes',
    );
  });

  it('hides its untagged children, and keeps them from being deleted', async () => {
    const child = content(OCI_MANIFEST, imageOf('kid').manifest);
    for (const blob of [imageOf('kid').config, imageOf('kid').layer]) await bench.pushBlob('p1/family', blob.bytes);
    await bench.pushManifest('p1/family', child.digest, imageOf('kid').manifest);
    await bench.pushManifest('p1/family', 'v1', index({ ...described(child), platform: amd64 }));
    const listed = await artifacts('family');
    expect(listed).toMatchObject([
      { type: 'IMAGE', manifest_media_type: OCI_INDEX, references: [{ child_digest: child.digest, platform: amd64 }] },
    ]);
    const refused = await bench.ask('DELETE', `/v2/p1/family/manifests/${child.digest}`);
    const words = 'the deleting artifact is referenced by others';
    expect([refused.status, refused.json]).toEqual([412, error('VIOLATE_FOREIGN_KEY_CONSTRAINT', words)]);
  });
});

describe('kinds of artifact', () => {
  it('are told by config and artifactType; a chart is a CHART under a name encoded twice', async () => {
    const config = content('application/vnd.cncf.helm.config.v1+json', { name: 'demo' });
    const chart = { schemaVersion: 2, config: described(config), layers: [] };
    await bench.pushBlob('p1/charts/demo', config.bytes);
    await bench.pushManifest('p1/charts/demo', '0.1.0', chart);
    const found = await bench.api('GET', '/projects/p1/repositories/charts%252Fdemo/artifacts/0.1.0');
    expect(found.json).toMatchObject({ type: 'CHART', tags: [{ name: '0.1.0' }] });
    const once = await bench.ask('GET', '/api/v2.0/projects/p1/repositories/charts%2Fdemo/artifacts/0.1.0');
    expect([once.status, once.text]).toEqual([404, expect.stringContaining('was not found')]);

    await bench.pushBlob('p1/thing', EMPTY.bytes);
    const artifactType = 'application/vnd.example.thing.v1';
    await bench.pushManifest('p1/thing', 'v1', {
      schemaVersion: 2,
      artifactType,
      config: described(EMPTY),
      layers: [described(EMPTY)],
    });
    expect(await artifacts('thing')).toMatchObject([
      { type: 'UNKNOWN', artifact_type: artifactType, media_type: EMPTY.mediaType },
    ]);
  });

  it('of a missing repository are an empty list; of a missing project a 404', async () => {
    expect(await artifacts('missing')).toEqual([]);
    expect((await bench.api('GET', '/projects/nope/repositories/app/artifacts')).status).toBe(404);
  });

  it('are filtered, tagged and untagged through the API', async () => {
    const path = `/projects/p1/repositories/app/artifacts/${image.digest}`;
    expect((await bench.api('POST', `${path}/tags`, { json: { name: 'v9' } })).status).toBe(201);
    const again = await bench.api('POST', `${path}/tags`, { json: { name: 'v9' } });
    expect([again.status, again.text]).toEqual([409, expect.stringContaining('tag v9 already exists under the repository')]);
    expect(await artifacts('app', '?q=tags=v9')).toHaveLength(1);
    expect((await get('p1/app', 'v9', OCI_MANIFEST)).status).toBe(200);
    expect((await bench.api('DELETE', `${path}/tags/v9`)).status).toBe(200);
    expect((await get('p1/app', 'v9', OCI_MANIFEST)).status).toBe(404);
    expect((await get('p1/app', 'v1', OCI_MANIFEST)).status).toBe(200);
  });
});

describe('referrers', () => {
  const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
  const referrer = (artifactType: string, subject: object): object => ({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType,
    config: described(EMPTY),
    layers: [described(EMPTY)],
    subject,
  });
  const list = (digest: string, query = '', ask: Ask = {}): Promise<Answer> =>
    bench.ask('GET', `/v2/p1/signed/referrers/${digest}${query}`, ask);

  it('are accepted before their subject and answered with OCI-Subject; filters say so', async () => {
    const subject = content(OCI_MANIFEST, imageOf('signed').manifest);
    await bench.pushBlob('p1/signed', EMPTY.bytes);
    for (const type of [BUNDLE, 'application/vnd.example.sbom']) {
      const pushed = content(OCI_MANIFEST, referrer(type, described(subject)));
      const answer = await bench.pushManifest('p1/signed', pushed.digest, referrer(type, described(subject)));
      expect([answer.status, answer.headers['oci-subject']]).toEqual([201, subject.digest]);
    }
    await bench.pushImage('p1/signed', 'v1', 'signed');
    const all = await list(subject.digest);
    expect([all.headers['content-type'], all.headers['x-total-count']]).toEqual([OCI_INDEX, '2']);
    const some = await list(subject.digest, `?artifactType=${encodeURIComponent(BUNDLE)}`);
    expect(some.headers).toMatchObject({ 'oci-filters-applied': 'artifactType', 'x-total-count': '2' });
    expect((some.json as { manifests: object[] }).manifests).toHaveLength(1);
    expect(await artifacts('signed')).toHaveLength(1);
    const accessories = await bench.api('GET', `/projects/p1/repositories/signed/artifacts/v1/accessories`);
    expect((accessories.json as { type: string }[]).map(({ type }) => type)).toEqual(['signature.cosign', 'subject.accessory']);
  });

  it('of an unknown digest are an empty index, of a tag 400, of nobody 401', async () => {
    const empty = await list(sha256('unknown'));
    expect([empty.status, empty.json]).toEqual([200, { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] }]);
    expect((await list('v1')).status).toBe(400);
    expect((await list(sha256('unknown'), '', { as: null })).status).toBe(401);
  });

  it('go with their subject', async () => {
    const subject = content(OCI_MANIFEST, imageOf('signed').manifest);
    expect((await bench.api('DELETE', `/projects/p1/repositories/signed/artifacts/v1`)).status).toBe(200);
    expect((await list(subject.digest)).json).toMatchObject({ manifests: [] });
  });

  it('by cosign tag hide in the artifact list and satisfy content trust', async () => {
    await bench.project('trusted', { metadata: { public: 'false', enable_content_trust_cosign: 'true' } });
    const signed = await bench.pushImage('trusted/app', 'v1');
    const words = 'The image is not signed by cosign.';
    const refused = await get('trusted/app', 'v1', OCI_MANIFEST);
    expect([refused.status, refused.json]).toEqual([412, error('PROJECTPOLICYVIOLATION', words)]);
    const layer = content('application/vnd.dev.cosign.simplesigning.v1+json', '{"critical":{}}');
    const { config } = imageOf('one');
    await bench.pushBlob('trusted/app', layer.bytes);
    const tag = `${signed.digest.replace(':', '-')}.sig`;
    await bench.pushManifest('trusted/app', tag, { schemaVersion: 2, config: described(config), layers: [described(layer)] });
    expect((await get('trusted/app', 'v1', OCI_MANIFEST)).status).toBe(200);
    expect((await bench.api('GET', '/projects/trusted/repositories/app/artifacts')).json).toHaveLength(1);
    expect((await bench.ask('GET', '/v2/trusted/app/tags/list')).json).toMatchObject({ tags: [tag, 'v1'] });
  });
});
