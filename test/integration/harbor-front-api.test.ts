import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBench } from '../lab/harbor/harness.ts';
import type { Bench } from '../lab/harbor/harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench({ users: [{ name: 'dev', password: 'Devel0per', roles: { api1: 'developer' } }] });
  await bench.project('api1');
});
afterAll(() => bench.close());

const DEV = { name: 'dev', password: 'Devel0per' };
const error = (code: string, message: string): object => ({ errors: [{ code, message }] });

describe('the system endpoints answer as Harbor does', () => {
  it('pings and tells its health to anybody', async () => {
    const ping = await bench.api('GET', '/ping', { as: null });
    expect([ping.status, ping.text]).toEqual([200, 'Pong']);
    const health = await bench.api('GET', '/health', { as: null });
    expect(health.json).toMatchObject({ status: 'healthy' });
    expect((await bench.ask('GET', '/api/version', { as: null })).json).toEqual({ version: 'v2.0' });
  });

  it('keeps its version from the nameless', async () => {
    const anonymous = await bench.api('GET', '/systeminfo', { as: null });
    expect(anonymous.json).toEqual({
      auth_mode: 'db_auth',
      banner_message: '',
      oidc_provider_name: '',
      primary_auth_mode: false,
      self_registration: false,
    });
    expect((await bench.api('GET', '/systeminfo')).json).toMatchObject({
      read_only: false,
      harbor_version: expect.stringMatching(/^v2\./) as string,
    });
  });

  it('knows the current user, and 401 for nobody', async () => {
    expect((await bench.api('GET', '/users/current')).json).toMatchObject({ sysadmin_flag: true });
    const anonymous = await bench.api('GET', '/users/current', { as: null });
    expect([anonymous.status, anonymous.json]).toEqual([401, error('UNAUTHORIZED', 'unauthorized')]);
  });

  it('serves statistics, volumes and permissions', async () => {
    expect((await bench.api('GET', '/statistics')).json).toMatchObject({ total_project_count: expect.any(Number) as number });
    expect((await bench.api('GET', '/systeminfo/volumes')).json).toEqual({ storage: [{}] });
    expect((await bench.api('GET', '/permissions')).status).toBe(200);
  });

  it('answers an unknown path and an oversized page with their own words', async () => {
    const unknown = await bench.ask('GET', '/api/v2.0/nothing');
    expect([unknown.status, unknown.json]).toEqual([404, error('NOT_FOUND', 'path /api/v2.0/nothing was not found')]);
    const page = await bench.api('GET', '/projects?page_size=200');
    expect(page.status).toBe(422);
    expect(page.text).toContain('page_size in query should be less than or equal to 100');
  });

  it('sends a session cookie and a request id with every answer, and falls into its own CSRF trap', async () => {
    const first = await bench.ask('GET', '/api/v2.0/ping', { as: null });
    expect(first.headers['set-cookie']).toMatch(/^sid=.+; Path=\/; HttpOnly$/);
    expect(first.headers['x-request-id']).toBeTruthy();
    const cookie = (first.headers['set-cookie'] ?? '').split(';')[0] ?? '';
    const trap = error('FORBIDDEN', 'CSRF token not found in request');
    const post = await bench.api('POST', '/projects', { json: { project_name: 'x' }, headers: { cookie } });
    expect([post.status, post.json]).toEqual([403, trap]);
    const upload = await bench.ask('POST', '/v2/api1/app/blobs/uploads/', { headers: { cookie } });
    expect([upload.status, upload.json]).toEqual([403, trap]);
    expect((await bench.ask('GET', '/api/v2.0/projects', { headers: { cookie } })).status).toBe(200);
  });
});

describe('projects', () => {
  it('are created once, with a Location by id', async () => {
    const made = await bench.api('POST', '/projects', { json: { project_name: 'made', metadata: { public: 'false' } } });
    expect([made.status, made.text, made.headers.location]).toEqual([
      201,
      '',
      expect.stringMatching(/^\/api\/v2\.0\/projects\/\d+$/),
    ]);
    const again = await bench.api('POST', '/projects', { json: { project_name: 'made' } });
    expect([again.status, again.json]).toEqual([409, error('CONFLICT', 'The project named made already exists')]);
  });

  it('are created once even when four ask at the same time', async () => {
    const four = await Promise.all([1, 2, 3, 4].map(() => bench.api('POST', '/projects', { json: { project_name: 'raced' } })));
    expect(four.map((answer) => answer.status).sort()).toEqual([201, 409, 409, 409]);
  });

  it('need a legal name', async () => {
    const bad = error('BAD_REQUEST', 'project name is not in lower case or contains illegal characters');
    for (const name of ['P_Upper', 'a--b', 'a__b', 'a..b', '-a']) {
      const answer = await bench.api('POST', '/projects', { json: { project_name: name } });
      expect([answer.status, answer.json]).toEqual([400, bad]);
    }
    for (const name of ['a', 'a_b.c-d', 'x'.repeat(255)]) await bench.project(name);
    const long = await bench.api('POST', '/projects', { json: { project_name: 'y'.repeat(256) } });
    expect([long.status, long.json]).toMatchObject([422, { errors: [{ code: 'UNPROCESSABLE_ENTITY' }] }]);
  });

  it('refuse a body of the wrong type, as Go does', async () => {
    const answer = await bench.api('POST', '/projects', { json: { project_name: 'typed', metadata: { public: true } } });
    expect(answer.status).toBe(400);
  });

  it('are 401 to the nameless, whether they exist or not', async () => {
    for (const path of ['/projects/api1', '/projects/nope']) {
      expect((await bench.api('GET', path, { as: null })).status).toBe(401);
    }
    for (const name of ['api1', 'nope']) {
      expect((await bench.api('HEAD', `/projects?project_name=${name}`, { as: null })).status).toBe(401);
    }
    expect((await bench.api('POST', '/projects', { as: null, json: { project_name: 'z' } })).status).toBe(401);
  });

  it('exist or not by HEAD', async () => {
    expect((await bench.api('HEAD', '/projects?project_name=api1')).status).toBe(200);
    expect((await bench.api('HEAD', '/projects?project_name=nope')).status).toBe(404);
    const missing = await bench.api('GET', '/projects/nope');
    expect([missing.status, missing.json]).toEqual([404, error('NOT_FOUND', 'project nope not found')]);
  });

  it('with a name of digits are read as an id, unless the header says otherwise', async () => {
    await bench.project('12345');
    expect((await bench.api('GET', '/projects/12345')).status).toBe(404);
    const named = await bench.api('GET', '/projects/12345', { headers: { 'x-is-resource-name': 'true' } });
    expect(named.json).toMatchObject({ name: '12345' });
  });

  it('are searched fuzzily and paged with a Link', async () => {
    for (const name of ['fz1', 'fz2', 'pubfz']) await bench.project(name);
    const page = await bench.api('GET', '/projects?name=fz&page_size=2');
    expect(page.headers['x-total-count']).toBe('3');
    expect(page.headers.link).toBe('</api/v2.0/projects?name=fz&page=2&page_size=2>; rel="next"');
    expect((page.json as { name: string }[]).map((project) => project.name)).toEqual(['fz1', 'fz2']);
  });

  it('can not be deleted while they hold repositories', async () => {
    await bench.project('full');
    await bench.pushImage('full/app', 'v1');
    const refused = await bench.api('DELETE', '/projects/full');
    const words = 'precondition failed: the project contains repositories, can not be deleted';
    expect([refused.status, refused.json]).toEqual([412, error('PRECONDITION', words)]);
    expect((await bench.api('GET', '/projects/full/_deletable')).json).toMatchObject({ deletable: false });
    expect((await bench.api('DELETE', '/projects/full/repositories/app')).status).toBe(200);
    expect((await bench.api('DELETE', '/projects/full')).status).toBe(200);
  });

  it('let a developer look, but not delete', async () => {
    expect((await bench.api('GET', '/projects/api1', { as: DEV })).status).toBe(200);
    expect((await bench.api('DELETE', '/projects/api1', { as: DEV })).status).toBe(403);
    await bench.project('closed');
    expect((await bench.api('GET', '/projects/closed', { as: DEV })).status).toBe(403);
  });
});

describe('read-only mode', () => {
  it('refuses every write and still lets pull and log in', async () => {
    await bench.api('PUT', '/configurations', { json: { read_only: true } });
    const words = 'The system is in read only mode. Any modification is prohibited.';
    for (const path of ['/v2/api1/app/blobs/uploads/', '/api/v2.0/projects']) {
      const refused = await bench.ask('POST', path, { json: { project_name: 'ro' } });
      expect([refused.status, refused.json]).toEqual([403, error('DENIED', words)]);
    }
    expect((await bench.ask('GET', '/service/token?service=harbor-registry')).status).toBe(200);
    expect((await bench.api('GET', '/systeminfo')).json).toMatchObject({ read_only: true });
    expect((await bench.api('PUT', '/configurations', { json: { read_only: false } })).status).toBe(200);
    expect((await bench.api('GET', '/configurations')).json).toMatchObject({ read_only: { editable: true, value: false } });
  });
});
