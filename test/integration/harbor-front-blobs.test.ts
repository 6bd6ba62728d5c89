import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startMemoryRegistry } from '../lab/harbor/memory-registry.ts';
import { ADMIN, basic, openBench, sha256 } from '../lab/harbor/harness.ts';
import type { Answer, Bench } from '../lab/harbor/harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench({ bodyStallMs: 300 });
  for (const name of ['p1', 'p2']) await bench.project(name);
});
afterAll(() => bench.close());

const code = (answer: Answer): string => (answer.json as { errors: { code: string }[] }).errors[0]?.code ?? '';
const location = (answer: Answer): string => answer.headers.location ?? '';
const open = async (repository: string): Promise<string> => location(await bench.ask('POST', `/v2/${repository}/blobs/uploads/`));
const head = (repository: string, bytes: Buffer): Promise<Answer> =>
  bench.ask('HEAD', `/v2/${repository}/blobs/${sha256(bytes)}`);

/** Speaks HTTP by hand: what a well-behaved client can't send. */
async function raw(text: string): Promise<string> {
  const { port } = new URL(bench.harbor.url);
  const socket = connect(Number(port), '127.0.0.1');
  let seen = '';
  socket.on('data', (chunk: Buffer) => (seen += chunk.toString())).on('error', () => undefined);
  socket.write(text);
  await once(socket, 'close');
  return seen;
}

describe('a blob', () => {
  it('is there for its repository only', async () => {
    const bytes = Buffer.from('held by app');
    expect((await bench.pushBlob('p1/app', bytes)).status).toBe(201);
    const present = await head('p1/app', bytes);
    expect(present.status).toBe(200);
    expect(present.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': String(bytes.length),
      'docker-content-digest': sha256(bytes),
      'accept-ranges': 'bytes',
      'cache-control': 'max-age=31536000',
    });
    expect((await head('p1/other', bytes)).status).toBe(404);
  });

  it('that nobody has is a 404 of core itself, with 133 bytes that HEAD does not show', async () => {
    const answer = await head('p1/app', Buffer.from('unheard of'));
    expect([answer.status, answer.headers['content-length'], answer.text]).toEqual([404, '133', '']);
    expect(answer.headers['docker-distribution-api-version']).toBeUndefined();
    const got = await bench.ask('GET', `/v2/p1/app/blobs/${sha256('unheard of')}`);
    expect([got.status, got.json]).toEqual([
      404,
      { errors: [{ code: 'BLOB_UNKNOWN', message: 'blob unknown to registry', detail: sha256('unheard of') }] },
    ]);
  });

  it('is served whole and by range', async () => {
    const bytes = Buffer.from('0123456789');
    await bench.pushBlob('p1/app', bytes);
    const path = `/v2/p1/app/blobs/${sha256(bytes)}`;
    expect((await bench.ask('GET', path)).text).toBe('0123456789');
    const part = await bench.ask('GET', path, { headers: { range: 'bytes=3-5' } });
    expect([part.status, part.text]).toEqual([206, '345']);
  });

  it('deleted in one repository stays in the other', async () => {
    const bytes = Buffer.from('twice held');
    for (const repository of ['p1/one', 'p1/two']) await bench.pushBlob(repository, bytes);
    expect((await bench.ask('DELETE', `/v2/p1/one/blobs/${sha256(bytes)}`)).status).toBe(202);
    expect((await head('p1/one', bytes)).status).toBe(404);
    expect((await head('p1/two', bytes)).status).toBe(200);
  });
});

describe('an upload', () => {
  it('starts with an absolute Location, a UUID and an ambiguous range', async () => {
    const started = await bench.ask('POST', '/v2/p1/app/blobs/uploads/');
    expect(location(started)).toMatch(new RegExp(`^${bench.harbor.url}/v2/p1/app/blobs/uploads/[0-9a-f-]+\\?_state=`));
    expect(started.headers).toMatchObject({ range: '0-0', 'content-length': '0' });
    expect(started.headers['docker-upload-uuid']).toBeTruthy();
    const slashless = await bench.ask('POST', '/v2/p1/app/blobs/uploads');
    expect([slashless.status, location(slashless)]).toEqual([301, '/v2/p1/app/blobs/uploads/']);
  });

  it('goes by PATCH and PUT, always with the newest Location', async () => {
    const parts = [Buffer.alloc(100_000, 'a'), Buffer.alloc(5, 'b')];
    const first = await bench.ask('PATCH', await open('p1/app'), { body: parts[0] });
    expect([first.status, first.headers.range]).toEqual([202, '0-99999']);
    const second = await bench.ask('PATCH', location(first), { body: parts[1] });
    expect((await bench.ask('GET', location(second))).status).toBe(204);
    const whole = Buffer.concat(parts);
    const closed = await bench.ask('PUT', `${location(second)}&digest=${sha256(whole)}`);
    expect([closed.status, closed.headers['docker-content-digest']]).toEqual([201, sha256(whole)]);
    expect(location(closed)).toBe(`${bench.harbor.url}/v2/p1/app/blobs/${sha256(whole)}`);
  });

  it('ignores the body of a single POST and stays a session', async () => {
    const bytes = Buffer.from('posted');
    const posted = await bench.ask('POST', `/v2/p1/app/blobs/uploads/?digest=${sha256(bytes)}`, { body: bytes });
    expect(posted.status).toBe(202);
    expect((await head('p1/app', bytes)).status).toBe(404);
    expect((await bench.ask('PUT', `${location(posted)}&digest=${sha256(bytes)}`, { body: bytes })).status).toBe(201);
  });

  it('ignores Content-Range: an out-of-order chunk is found out by the digest alone', async () => {
    const patched = await bench.ask('PATCH', await open('p1/app'), {
      body: Buffer.from('late'),
      headers: { 'content-range': '50-53' },
    });
    expect(patched.status).toBe(202);
    const closed = await bench.ask('PUT', `${location(patched)}&digest=${sha256('early')}`);
    expect([closed.status, code(closed)]).toEqual([400, 'DIGEST_INVALID']);
  });

  it('needs a digest, and takes an empty blob and a sha512', async () => {
    const without = await bench.ask('PUT', `${await open('p1/app')}&digest=`);
    expect(without.json).toEqual({ errors: [{ code: 'BAD_REQUEST', message: 'exist blob require digest' }] });
    expect((await bench.pushBlob('p1/app', Buffer.alloc(0))).status).toBe(201);
    const { createHash } = await import('node:crypto');
    const strong = `sha512:${createHash('sha512').update('strong').digest('hex')}`;
    const closed = await bench.ask('PUT', `${await open('p1/app')}&digest=${strong}`, { body: Buffer.from('strong') });
    expect([closed.status, closed.headers['docker-content-digest']]).toEqual([201, sha256('strong')]);
  });

  it('belongs to its repository, its newest state and its life', async () => {
    const started = await open('p1/app');
    const moved = started.replace('/p1/app/', '/p1/elsewhere/');
    expect(code(await bench.ask('PUT', `${moved}&digest=${sha256('x')}`, { body: Buffer.from('x') }))).toBe(
      'BLOB_UPLOAD_INVALID',
    );
    expect(code(await bench.ask('PATCH', started.replace(/_state=.*/, '_state=forged'), { body: Buffer.from('x') }))).toBe(
      'BLOB_UPLOAD_INVALID',
    );
    expect((await bench.ask('DELETE', started)).status).toBe(204);
    const after = await bench.ask('PATCH', started, { body: Buffer.from('x') });
    expect([after.status, code(after)]).toEqual([404, 'BLOB_UPLOAD_UNKNOWN']);
  });

  it('can not go on after a PATCH that broke', async () => {
    const started = await open('p1/app');
    const { pathname, search } = new URL(started);
    const head100 = `PATCH ${pathname}${search} HTTP/1.1\r\nHost: h\r\nAuthorization: ${basic(ADMIN)}\r\nContent-Length: 100\r\n\r\n`;
    // Stalled, it is cut off without a word.
    expect(await raw(`${head100}half of it`)).toBe('');
    await expect.poll(async () => (await bench.ask('GET', started)).status).toBe(404);
    expect(code(await bench.ask('GET', started))).toMatch(/^BLOB_UPLOAD_/);
  });
});

describe('a mount', () => {
  const bytes = Buffer.from('to be mounted');
  const mount = (to: string, from: string, as: string = basic(ADMIN)): Promise<Answer> =>
    bench.ask('POST', `/v2/${to}/blobs/uploads/?mount=${sha256(bytes)}&from=${from}`, { as });
  const token = async (...repositories: string[]): Promise<string> => {
    const scope = repositories.map((repository) => `scope=repository:${repository}:pull,push`).join('&');
    const answer = await bench.ask('GET', `/service/token?service=harbor-registry&${scope}`);
    return `Bearer ${(answer.json as { token: string }).token}`;
  };

  it('is 201 when the source has it, across projects, within one with a token of one repository', async () => {
    await bench.pushBlob('p1/source', bytes);
    const done = await mount('p2/target', 'p1/source', await token('p2/target', 'p1/source'));
    expect([done.status, location(done)]).toEqual([201, `${bench.harbor.url}/v2/p2/target/blobs/${sha256(bytes)}`]);
    expect((await head('p2/target', bytes)).status).toBe(200);
    expect((await mount('p1/near', 'p1/source', await token('p1/near'))).status).toBe(201);
  });

  it('falls back to a session when the source lacks it', async () => {
    for (const source of ['p1/empty', 'p1/never/seen']) expect((await mount('p2/other', source)).status).toBe(202);
    expect((await bench.ask('POST', `/v2/p2/other/blobs/uploads/?mount=${sha256(bytes)}`)).status).toBe(202);
  });

  it('is 401, not 202, without pull on the source, or from a missing project', async () => {
    const forbidden = await mount('p2/target', 'p1/source', await token('p2/target'));
    expect(forbidden.headers['www-authenticate']).toBe('Basic realm="harbor"');
    expect(forbidden.text).toContain('unauthorized to access repository: p1/source, action: pull');
    const missing = await mount('p2/m3', 'ghost/app', await token('p2/m3', 'ghost/app'));
    expect([missing.status, missing.headers['www-authenticate']]).toEqual([401, 'Basic realm="harbor"']);
    expect(missing.text).toContain('unauthorized to access repository: p2/m3, action: push');
  });
});

describe('the way to the registry', () => {
  it('down is 502 with an empty body, and unhealthy with status 200', async () => {
    const dead = await startMemoryRegistry();
    await dead.close();
    const lone = await openBench({ upstream: dead.url });
    await lone.project('p1');
    for (const [method, path] of [
      ['POST', '/v2/p1/app/blobs/uploads/'],
      ['GET', '/v2/'],
    ] as const) {
      const answer = await lone.ask(method, path);
      expect([answer.status, answer.text]).toEqual([502, '']);
    }
    const health = await lone.api('GET', '/health', { as: null });
    expect([health.status, health.json]).toMatchObject([200, { status: 'unhealthy' }]);
    await lone.close();
  });

  it('breaking in the middle of a PATCH is a 502, and the session is lost', async () => {
    const frail = await startMemoryRegistry({ flavour: 'distribution' });
    const lone = await openBench({ upstream: frail.url });
    await lone.project('p1');
    const started = location(await lone.ask('POST', '/v2/p1/app/blobs/uploads/'));
    frail.faults.add({ method: 'PATCH', cutAfter: 300_000 });
    expect((await lone.ask('PATCH', started, { body: Buffer.alloc(3_000_000) })).status).toBe(502);
    expect((await lone.ask('PATCH', started, { body: Buffer.alloc(3_000_000) })).status).toBe(404);
    await lone.close();
    await frail.close();
  });

  it('turns an early refusal of a big PUT into 502 HTML', async () => {
    const started = await open('p1/app');
    const wrong = await bench.ask('PUT', `${started}&digest=${sha256('big')}`, {
      body: Buffer.alloc(4_000_000),
      as: { name: 'admin', password: 'no' },
    });
    expect([wrong.status, wrong.headers['content-type']]).toEqual([502, 'text/html']);
    expect(wrong.text).toContain('<title>502 Bad Gateway</title>');
    expect(wrong.headers['set-cookie']).toBeUndefined();
  });

  it('counts every request, without a secret', () => {
    const log = JSON.stringify(bench.harbor.requests);
    expect(bench.harbor.requests.filter((request) => request.method === 'PATCH').length).toBeGreaterThan(2);
    expect(bench.harbor.requests.find((request) => request.bytesIn === 100_000)).toMatchObject({
      method: 'PATCH',
      status: 202,
      user: 'admin',
    });
    for (const secret of [ADMIN.password, basic(ADMIN), 'Bearer', '_state']) expect(log).not.toContain(secret);
  });
});
