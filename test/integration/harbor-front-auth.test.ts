import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN, openBench, sha256 } from '../lab/harbor/harness.ts';
import type { Answer, Ask, Bench } from '../lab/harbor/harness.ts';

let bench: Bench;
let clock = Date.now();
const DEV = { name: 'dev', password: 'Devel0per' };
const GUEST = { name: 'guest', password: 'Gu3stGuest' };
const WRONG = { name: 'admin', password: 'wrong' };
const NOTHING = sha256('nothing');

beforeAll(async () => {
  const users = [
    { ...DEV, roles: { p1: 'developer' as const } },
    { ...GUEST, roles: { p1: 'guest' as const } },
  ];
  bench = await openBench({ users }, () => clock);
  for (const name of ['p1', 'p2']) await bench.project(name);
  await bench.project('open', { metadata: { public: 'true' } });
  await bench.pushImage('p1/app', 'v1');
  await bench.pushImage('open/app', 'v1');
});
afterAll(() => bench.close());

const error = (code: string, message: string): object => ({ errors: [{ code, message }] });
const twice = (message: string): object => error('UNAUTHORIZED', `${message}: ${message}`);
const start = (repository: string, as: NonNullable<Ask['as']> | null): Promise<Answer> =>
  bench.ask('POST', `/v2/${repository}/blobs/uploads/`, { as });
const tokenFor = async (scope: string, as: NonNullable<Ask['as']> | null = ADMIN): Promise<string> => {
  const answer = await bench.ask('GET', `/service/token?service=harbor-registry&scope=${encodeURIComponent(scope)}`, { as });
  return (answer.json as { token: string }).token;
};
const bearer = async (scope: string, as: NonNullable<Ask['as']> | null = ADMIN): Promise<string> =>
  `Bearer ${await tokenFor(scope, as)}`;
const realm = (): string => `Bearer realm="${bench.harbor.url}/service/token",service="harbor-registry"`;

describe('the challenge', () => {
  it('is Bearer for a request without Authorization', async () => {
    const root = await bench.ask('GET', '/v2/', { as: null });
    expect([root.status, root.json]).toEqual([401, twice('unauthorized')]);
    expect(root.headers['www-authenticate']).toBe(realm());
    expect(root.headers['docker-distribution-api-version']).toBe('registry/2.0');
    const pull = await bench.ask('GET', '/v2/open/app/manifests/v1', { as: null });
    expect(pull.headers['www-authenticate']).toBe(`${realm()},scope="repository:open/app:pull"`);
    const missing = await bench.ask('HEAD', `/v2/nope/app/blobs/${NOTHING}`, { as: null });
    expect(missing.headers['www-authenticate']).toBe(`${realm()},scope="repository:nope/app:pull"`);
    expect((await start('p1/app', null)).headers['www-authenticate']).toBe(`${realm()},scope="repository:p1/app:pull,push"`);
  });

  it('names both scopes of a mount in one string', async () => {
    const mount = await bench.ask('POST', `/v2/p2/m/blobs/uploads/?mount=${NOTHING}&from=p1/app`, { as: null });
    expect(mount.headers['www-authenticate']).toBe(`${realm()},scope="repository:p2/m:pull,push repository:p1/app:pull"`);
  });

  it('has the host of the request in its realm, and the scheme of the external URL', async () => {
    const answer = await bench.ask('GET', '/v2/', {
      as: null,
      headers: { host: 'harbor.example:8080', 'x-forwarded-proto': 'https' },
    });
    expect(answer.headers['www-authenticate']).toContain('realm="http://harbor.example:8080/service/token"');
    const upload = await bench.ask('POST', '/v2/p1/app/blobs/uploads/', {
      headers: { host: 'harbor.example', 'x-forwarded-proto': 'https' },
    });
    expect(upload.headers.location).toMatch(/^https:\/\/harbor\.example\/v2\/p1\/app\/blobs\/uploads\//);
  });

  it('is Basic as soon as there was an Authorization header', async () => {
    for (const as of [WRONG, 'Bearer garbage', 'Basic garbage']) {
      const answer = await bench.ask('GET', '/v2/', { as });
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Basic realm="harbor"']);
    }
    clock += 60_000;
    expect((await bench.ask('GET', '/v2/', { as: ADMIN })).text.trim()).toBe('{}');
  });

  it('is EMPTY when the project is missing: 401, never 404', async () => {
    const robotless = await bearer('repository:nope/app:pull,push');
    for (const as of [null, ADMIN, robotless]) {
      const answer = await start('nope/app', as);
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, '']);
      expect(answer.json).toEqual(twice('project nope not found'));
    }
    const head = await bench.ask('HEAD', '/v2/nope/app/manifests/v1', { as: robotless });
    expect([head.status, head.headers['www-authenticate'], head.text]).toEqual([401, '', '']);
  });

  it('is EMPTY for a path that is none, and 400 for a name of one part', async () => {
    for (const path of ['/v2/p1/UPPER/blobs/uploads/', '/v2/p1/a..b/blobs/uploads/', '/v2/p1/-a/blobs/uploads/']) {
      const answer = await bench.ask('POST', path);
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, '']);
      expect(answer.json).toEqual(twice(`un-recognized request: POST ${path}`));
    }
    expect((await bench.ask('GET', '/v2/p1/app/foo')).status).toBe(401);
    const single = await start('single', ADMIN);
    expect([single.status, single.json]).toEqual([400, error('BAD_REQUEST', 'bad request: invalid repository name: single')]);
    for (const deep of ['p1/a/b/c/d/e', 'p1/a__b', 'p1/a--b']) expect((await start(deep, ADMIN)).status).toBe(202);
    expect((await start(`p1/${'x'.repeat(260)}`, ADMIN)).status).toBe(500);
  });
});

describe('the token service', () => {
  it('signs what the caller may do, not what was asked', async () => {
    const answer = await bench.ask('GET', '/service/token?service=harbor-registry&scope=repository:p1/app:pull');
    expect(answer.json).toMatchObject({
      access_token: '',
      expires_in: 1800,
      issued_at: expect.stringMatching(/^[^.]+Z$/) as string,
    });
    const { token } = answer.json as { token: string };
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'RS256', typ: 'JWT' });
    const claims = decodeJwt(token);
    expect(claims).toMatchObject({ iss: 'harbor-token-issuer', sub: 'admin', aud: 'harbor-registry' });
    const [access] = claims.access as { name: string; actions: string[] }[];
    expect(access?.actions.sort()).toEqual(['delete', 'pull', 'push']);
  });

  it('grants by role: developer, guest, stranger', async () => {
    const actions = async (scope: string, as: NonNullable<Ask['as']> | null): Promise<string[]> =>
      (decodeJwt(await tokenFor(scope, as)).access as { actions: string[] }[])[0]?.actions.sort() ?? [];
    expect(await actions('repository:p1/app:pull,push', DEV)).toEqual(['pull', 'push']);
    expect(await actions('repository:p1/app:pull,push', GUEST)).toEqual(['pull']);
    expect(await actions('repository:p2/app:pull,push', DEV)).toEqual([]);
    expect(await actions('repository:open/app:pull,push', DEV)).toEqual(['pull']);
    expect(await actions('repository:nope/app:pull,push', ADMIN)).toEqual([]);
  });

  it('answers a wrong password with an anonymous token when a scope was asked, else with an empty 401', async () => {
    const claims = decodeJwt(await tokenFor('repository:open/app:pull,push', WRONG));
    expect(claims.sub).toBeUndefined();
    expect(claims.access).toEqual([{ type: 'repository', name: 'open/app', actions: ['pull'] }]);
    clock += 60_000;
    for (const as of [WRONG, null]) {
      const login = await bench.ask('GET', '/service/token?service=harbor-registry', { as });
      expect([login.status, login.text, login.headers['www-authenticate']]).toEqual([401, '', undefined]);
    }
    clock += 60_000;
  });

  it('knows no other service, and no POST', async () => {
    const other = await bench.ask('GET', '/service/token?service=other');
    expect([other.status, other.text.trim()]).toEqual([400, 'Unable to handle service: other']);
    expect((await bench.ask('POST', '/service/token', { as: null })).status).toBe(405);
    expect((await bench.ask('GET', '/service/notifications')).headers['content-type']).toBe('text/html');
  });
});

describe('a token', () => {
  it('is checked per project and action', async () => {
    const token = await bearer('repository:p1/app:pull,push');
    expect((await start('p1/other', token)).status).toBe(202);
    const elsewhere = await start('p2/other', token);
    expect(elsewhere.headers['www-authenticate']).toBe('Basic realm="harbor"');
    expect([elsewhere.status, elsewhere.json]).toEqual([401, twice('unauthorized to access repository: p2/other, action: push')]);
    expect((await start('p1/app', await bearer('repository:p1/app:pull,push', GUEST))).status).toBe(401);
  });

  it('from before the project was made stays useless, and so does one from before it was made again', async () => {
    const early = await bearer('repository:late/app:pull,push');
    await bench.project('late');
    expect((await start('late/app', early)).headers['www-authenticate']).toBe('Basic realm="harbor"');
    const good = await bearer('repository:late/app:pull,push');
    expect((await start('late/app', good)).status).toBe(202);
    await bench.api('DELETE', '/projects/late');
    clock += 61_000;
    await bench.project('late');
    expect((await start('late/app', good)).status).toBe(401);
  });

  it('is accepted for 60 s after it expired, and then refused without a Bearer challenge', async () => {
    const token = await bearer('repository:p1/app:pull,push');
    clock += (30 * 60 + 50) * 1000;
    expect((await start('p1/app', token)).status).toBe(202);
    clock += 20_000;
    const expired = await start('p1/app', token);
    expect([expired.status, expired.headers['www-authenticate']]).toEqual([401, 'Basic realm="harbor"']);
  });

  it('of nobody can not list the catalog; the admin by Basic can', async () => {
    for (const as of [null, await bearer('registry:catalog:*')]) {
      const answer = await bench.ask('GET', '/v2/_catalog', { as });
      expect([answer.status, answer.headers['www-authenticate'], answer.json]).toEqual([
        401,
        'Basic realm="harbor"',
        twice('unauthorized to list catalog'),
      ]);
    }
    const page = await bench.ask('GET', '/v2/_catalog?n=1');
    expect(page.json).toEqual({ repositories: ['open/app'] });
    expect(page.headers.link).toBe('</v2/_catalog?last=open%2Fapp&n=1>; rel="next"');
  });
});

describe('a wrong password', () => {
  it('is 401, never 403, and says which action was refused', async () => {
    const answer = await start('p1/app', WRONG);
    clock += 60_000;
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Basic realm="harbor"']);
    expect(answer.json).toEqual(twice('unauthorized to access repository: p1/app, action: push'));
  });

  it('locks that user, for the right password too, and nobody else', async () => {
    const locked = await openBench({ users: [DEV], delays: { wrongPasswordMs: 300 } });
    const t0 = Date.now();
    const wrong = locked.ask('GET', '/v2/', { as: WRONG });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await locked.ask('GET', '/v2/')).status).toBe(401);
    expect(Date.now() - t0).toBeLessThan(250);
    expect((await locked.ask('GET', '/v2/', { as: DEV })).status).toBe(200);
    expect((await wrong).status).toBe(401);
    expect(Date.now() - t0).toBeGreaterThanOrEqual(290);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect((await locked.ask('GET', '/v2/')).status).toBe(200);
    await locked.close();
  });

  it('leaves a developer unable to delete, with the action named', async () => {
    const answer = await bench.ask('DELETE', `/v2/p1/app/manifests/${NOTHING}`, { as: DEV });
    expect(answer.json).toEqual(twice('unauthorized to access repository: p1/app, action: delete'));
  });
});
