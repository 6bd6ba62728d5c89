import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OCI_MANIFEST, imageOf, openBench, sha256 } from '../lab/harbor/harness.ts';
import type { Answer, Bench } from '../lab/harbor/harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

const error = (code: string, message: string): object => ({ errors: [{ code, message }] });
const over = (adding: string, used: string, limit: string, verb = 'adding'): object =>
  error(
    'DENIED',
    `${verb} ${adding} of storage resource, which when updated to current usage of ${used} will exceed the configured upper limit of ${limit}.`,
  );
const bytes = (size: number, fill: string): Buffer => Buffer.alloc(size, fill);
const byPatch = async (repository: string, data: Buffer): Promise<Answer> => {
  const started = await bench.ask('POST', `/v2/${repository}/blobs/uploads/`);
  const patched = await bench.ask('PATCH', started.headers.location ?? '', { body: data });
  expect(patched.status).toBe(202);
  return bench.ask('PUT', `${patched.headers.location ?? ''}&digest=${sha256(data)}`);
};
const quotaOf = async (project: string): Promise<{ id: number; used: { storage: number } }> => {
  const { project_id: id } = (await bench.api('GET', `/projects/${project}`)).json as { project_id: number };
  const [quota] = (await bench.api('GET', `/quotas?reference=project&reference_id=${String(id)}`)).json as {
    id: number;
    used: { storage: number };
  }[];
  if (quota === undefined) throw new Error('no quota');
  expect(quota.id).not.toBe(id);
  return quota;
};
const limit = async (project: string, storage: number): Promise<void> => {
  const { id } = await quotaOf(project);
  expect((await bench.api('PUT', `/quotas/${String(id)}`, { json: { hard: { storage } } })).status).toBe(200);
};

describe('the quota', () => {
  it('is looked at when an upload is closed, after all bytes were sent', async () => {
    await bench.project('q1', { storage_limit: 3_000_000 });
    const big = bytes(4_000_000, 'b');
    const refused = await byPatch('q1/app', big);
    expect([refused.status, refused.json]).toEqual([403, over('3.8 MiB', '0 B', '2.9 MiB')]);
    expect((await bench.ask('HEAD', `/v2/q1/app/blobs/${sha256(big)}`)).status).toBe(404);
    // In one piece the refusal drowns in the 502 trap.
    expect((await bench.pushBlob('q1/app', big)).status).toBe(502);
    expect((await bench.pushBlob('q1/app', bytes(500_000, 's'))).status).toBe(201);
  });

  it('counts a blob once per project, and manifests too', async () => {
    await bench.project('q2');
    const data = bytes(1000, 'o');
    for (const repository of ['q2/a', 'q2/b']) await bench.pushBlob(repository, data);
    expect((await quotaOf('q2')).used.storage).toBe(1000);
    const image = await bench.pushImage('q2/a', 'v1');
    const { config, layer } = imageOf('one');
    const total = 1000 + config.size + layer.size + image.size;
    expect((await quotaOf('q2')).used.storage).toBe(total);
    const summary = (await bench.api('GET', '/projects/q2/summary')).json;
    expect(summary).toMatchObject({ quota: { hard: { storage: -1 }, used: { storage: total } }, repo_count: 1 });
    await bench.ask('DELETE', `/v2/q2/a/manifests/${image.digest}`);
    expect((await quotaOf('q2')).used.storage).toBe(1000);
  });

  it('already passed refuses even the start of an upload, and mounts, but not a retag', async () => {
    await bench.project('q3');
    await bench.pushImage('q3/app', 'v1');
    await bench.pushBlob('q3/app', bytes(2_000_000, 'f'));
    await bench.pushBlob('q2/a', bytes(151, 'm'));
    await limit('q3', 1000);
    const started = await bench.ask('POST', '/v2/q3/app/blobs/uploads/');
    expect([started.status, started.json]).toEqual([403, over('0 B', '1.9 MiB', '1000 B', 'subtracting')]);
    const mounted = await bench.ask('POST', `/v2/q3/app/blobs/uploads/?mount=${sha256(bytes(151, 'm'))}&from=q2/a`);
    expect([mounted.status, mounted.json]).toEqual([403, over('151 B', '1.9 MiB', '1000 B')]);
    await limit('q3', -1);
    expect((await bench.pushManifest('q3/app', 'again', imageOf('one').manifest)).status).toBe(201);
  });

  it('lets only one of four parallel uploads have the last place', async () => {
    await bench.project('q4', { storage_limit: 1500 });
    bench.registry.faults.add({ method: 'PUT', delayMs: 50, times: 4 });
    const four = await Promise.all(['a', 'b', 'c', 'd'].map((fill) => bench.pushBlob('q4/app', bytes(1000, fill))));
    expect(four.map((answer) => answer.status).sort()).toEqual([201, 403, 403, 403]);
    expect((await quotaOf('q4')).used.storage).toBe(1000);
    bench.registry.faults.clear();
  });

  it('counts a mounted blob in the project it comes to', async () => {
    await bench.project('q5');
    await bench.pushBlob('q4/other', bytes(77, 'z'));
    const mounted = await bench.ask('POST', `/v2/q5/app/blobs/uploads/?mount=${sha256(bytes(77, 'z'))}&from=q4/other`);
    expect(mounted.status).toBe(201);
    expect((await quotaOf('q5')).used.storage).toBe(77);
  });
});

describe('an immutable tag', () => {
  const rule = {
    disabled: false,
    action: 'immutable',
    template: 'immutable_template',
    tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: 'v*' }],
    scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] },
  };

  it('can not be pushed again, not even the same digest; other tags and digests can', async () => {
    await bench.project('imm');
    expect((await bench.api('POST', '/projects/imm/immutabletagrules', { json: rule })).status).toBe(201);
    expect((await bench.api('GET', '/projects/imm/immutabletagrules')).json).toMatchObject([rule]);
    const image = await bench.pushImage('imm/app', 'v1');
    const { manifest } = imageOf('one');
    const again = await bench.pushManifest('imm/app', 'v1', manifest);
    const words = "Failed to process request due to 'app:v1' configured as immutable.";
    expect([again.status, again.json]).toEqual([412, error('PRECONDITION', words)]);
    for (const reference of ['v2', image.digest, 'latest', 'latest']) {
      expect((await bench.pushManifest('imm/app', reference, manifest)).status).toBe(201);
    }
  });

  it('can not be deleted by any way', async () => {
    const digest = sha256(JSON.stringify(imageOf('one').manifest));
    const words = expect.stringMatching(/^the tag v\d configured as immutable, cannot be deleted$/) as string;
    const base = '/projects/imm/repositories/app/artifacts/v2';
    const answers = [
      await bench.ask('DELETE', `/v2/imm/app/manifests/${digest}`),
      await bench.api('DELETE', base),
      await bench.api('DELETE', `${base}/tags/v2`),
    ];
    for (const answer of answers) expect([answer.status, answer.json]).toEqual([412, error('PRECONDITION', words)]);
    expect((await bench.api('DELETE', `${base}/tags/latest`)).status).toBe(200);
  });
});

describe('a project made again', () => {
  it('still finds in the registry what was pushed into the first one', async () => {
    await bench.project('twin');
    const { config, layer, manifest } = imageOf('one');
    for (const blob of [config, layer]) {
      await bench.pushBlob('q2/a', blob.bytes);
      await bench.pushBlob('twin/app', blob.bytes);
    }
    await bench.api('DELETE', '/projects/twin');
    await bench.project('twin');
    expect((await bench.ask('HEAD', `/v2/twin/app/blobs/${layer.digest}`)).status).toBe(200);
    expect((await bench.pushManifest('twin/app', 'v1', manifest)).status).toBe(201);
  });
});

describe('a proxy-cache project', () => {
  it('takes no push', async () => {
    await bench.project('cache', { registry_id: 1 });
    const answer = await bench.ask('POST', '/v2/cache/app/blobs/uploads/');
    expect([answer.status, answer.json]).toEqual([
      403,
      error('DENIED', 'denied: can not push artifact to a proxy project: cache'),
    ]);
  });
});

describe('the state', () => {
  it('survives a restart: projects, robots, tokens, artifacts, quota', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'harbor-state-'));
    const stateFile = join(folder, 'state.json');
    const accessLog = join(folder, 'access.log');
    const first = await openBench({ stateFile, accessLog });
    await first.project('kept');
    const image = await first.pushImage('kept/app', 'v1');
    const token = (
      (await first.ask('GET', '/service/token?service=harbor-registry&scope=repository:kept/app:pull')).json as { token: string }
    ).token;
    await first.harbor.close();

    const second = await openBench({ stateFile, accessLog, upstream: first.harbor.harbor.config.upstream });
    const pulled = await second.ask('GET', '/v2/kept/app/manifests/v1', {
      as: `Bearer ${token}`,
      headers: { accept: OCI_MANIFEST },
    });
    expect([pulled.status, sha256(pulled.text)]).toEqual([200, image.digest]);
    expect((await second.api('POST', '/projects', { json: { project_name: 'kept' } })).status).toBe(409);
    const lines = readFileSync(accessLog, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { path: string; status: number });
    expect(lines.at(-1)).toMatchObject({ path: '/api/v2.0/projects', status: 409 });
    await second.close();
    await first.registry.close();
    rmSync(folder, { recursive: true });
  });
});
