import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBench } from '../lab/harbor/harness.ts';
import type { Bench, Login } from '../lab/harbor/harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
  for (const name of ['p1', 'p2']) await bench.project(name);
});
afterAll(() => bench.close());

const error = (code: string, message: string): object => ({ errors: [{ code, message }] });
const access = (...pairs: string[]): object[] =>
  pairs.map((pair) => ({ resource: pair.split(':')[0], action: pair.split(':')[1] }));
const projectRobot = (name: string, project: string, ...pairs: string[]): object => ({
  name,
  duration: -1,
  level: 'project',
  permissions: [{ kind: 'project', namespace: project, access: access(...pairs) }],
});

interface Created extends Login {
  id: number;
  secret: string;
}
async function create(robot: object): Promise<Created> {
  const answer = await bench.api('POST', '/robots', { json: robot });
  expect(answer.status).toBe(201);
  const created = answer.json as { id: number; name: string; secret: string };
  return { ...created, password: created.secret };
}

describe('a project robot', () => {
  it('is named with its project, and told its secret once', async () => {
    const robot = await create(projectRobot('pusher', 'p1', 'repository:push', 'repository:pull'));
    expect(robot.name).toBe('robot$p1+pusher');
    expect(robot.secret).toMatch(/^[A-Za-z0-9]{32}$/);
    const again = await bench.api('POST', '/robots', { json: projectRobot('pusher', 'p1', 'repository:push') });
    expect([again.status, again.json]).toEqual([409, error('CONFLICT', 'robot account 2:p1+pusher already exists')]);
    expect((await bench.api('GET', `/robots/${String(robot.id)}`)).text).not.toContain(robot.secret);
    expect(JSON.stringify(bench.harbor.harbor.state)).not.toContain(robot.secret);
  });

  it('pushes into its project only, and may ask whether projects exist but not read them', async () => {
    const robot = await create(projectRobot('carrier', 'p1', 'repository:push', 'repository:pull'));
    expect((await bench.pushBlob('p1/app', Buffer.from('carried'), { as: robot })).status).toBe(201);
    expect((await bench.ask('POST', '/v2/p2/app/blobs/uploads/', { as: robot })).status).toBe(401);
    expect((await bench.api('HEAD', '/projects?project_name=p1', { as: robot })).status).toBe(200);
    expect((await bench.api('HEAD', '/projects?project_name=zzz', { as: robot })).status).toBe(404);
    for (const path of ['/projects/p1', '/projects/p1/repositories']) {
      const refused = await bench.api('GET', path, { as: robot });
      expect([refused.status, refused.json]).toEqual([403, error('FORBIDDEN', 'forbidden')]);
    }
    const made = await bench.api('POST', '/projects', { as: robot, json: { project_name: 'mine' } });
    expect([made.status, made.json]).toEqual([403, error('FORBIDDEN', 'Only system level robot can create project')]);
  });

  it('with push only gets pull as well from the token service', async () => {
    const robot = await create(projectRobot('pushonly', 'p1', 'repository:push'));
    const answer = await bench.ask('GET', '/service/token?service=harbor-registry&scope=repository:p1/app:push', { as: robot });
    const payload = (answer.json as { token: string }).token.split('.')[1] ?? '';
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: string; access: { actions: string[] }[] };
    expect(claims.sub).toBe('robot$p1+pushonly');
    expect(claims.access[0]?.actions.sort()).toEqual(['pull', 'push']);
  });

  it('is refused alike with a wrong secret, when disabled and when unknown, and never locked', async () => {
    const robot = await create(projectRobot('shy', 'p1', 'repository:push'));
    for (const as of [
      { ...robot, password: 'x' },
      { name: 'robot$p1+nobody', password: 'x' },
    ]) {
      expect((await bench.ask('GET', '/v2/', { as })).json).toEqual(error('UNAUTHORIZED', 'unauthorized: unauthorized'));
    }
    expect((await bench.ask('GET', '/v2/', { as: robot })).status).toBe(200);
    const stored = (await bench.api('GET', `/robots/${String(robot.id)}`)).json as object;
    expect((await bench.api('PUT', `/robots/${String(robot.id)}`, { json: { ...stored, disable: true } })).status).toBe(200);
    expect((await bench.ask('GET', '/v2/', { as: robot })).status).toBe(401);
  });

  it('gets a new secret by PATCH, and is gone after DELETE', async () => {
    const robot = await create(projectRobot('renewed', 'p1', 'repository:push'));
    const path = `/robots/${String(robot.id)}`;
    const { secret } = (await bench.api('PATCH', path, { json: { secret: '' } })).json as { secret: string };
    expect((await bench.ask('GET', '/v2/', { as: robot })).status).toBe(401);
    expect((await bench.ask('GET', '/v2/', { as: { ...robot, password: secret } })).status).toBe(200);
    expect((await bench.api('PATCH', path, { json: { secret: 'weak' } })).status).toBe(400);
    expect((await bench.api('DELETE', path)).status).toBe(200);
    expect((await bench.api('GET', path)).status).toBe(404);
  });

  it('needs a legal name, a duration, a known permission and an existing project', async () => {
    const bad = await bench.api('POST', '/robots', { json: projectRobot('Bad Name', 'p1', 'repository:push') });
    expect([bad.status, bad.json]).toEqual([
      400,
      error('BAD_REQUEST', 'robot name is not in lower case or contains illegal characters'),
    ]);
    const rejected = [
      { ...projectRobot('a', 'p1', 'repository:push'), duration: 0 },
      { ...projectRobot('a', 'p1', 'repository:push'), level: 'planet' },
      projectRobot('a', 'p1', 'repository:fly'),
    ];
    for (const json of rejected) expect((await bench.api('POST', '/robots', { json })).status).toBe(400);
    expect((await bench.api('POST', '/robots', { json: projectRobot('a', 'nope', 'repository:push') })).status).toBe(404);
  });

  it('is listed by its project only', async () => {
    const id = ((await bench.api('GET', '/projects/p1')).json as { project_id: number }).project_id;
    const listed = (await bench.api('GET', `/robots?q=Level=project,ProjectID=${String(id)}&page_size=100`)).json as {
      name: string;
    }[];
    expect(listed.map((robot) => robot.name)).toContain('robot$p1+pusher');
    expect((await bench.api('GET', '/robots')).json).toEqual([]);
  });
});

describe('a system robot', () => {
  it('with the right to makes projects and pushes into them', async () => {
    const robot = await create({
      name: 'sys1',
      duration: 7,
      level: 'system',
      permissions: [
        { kind: 'system', namespace: '/', access: access('project:create') },
        { kind: 'project', namespace: '*', access: access('repository:push', 'repository:pull') },
      ],
    });
    expect(robot.name).toBe('robot$sys1');
    expect((await bench.api('POST', '/projects', { as: robot, json: { project_name: 'bysys' } })).status).toBe(201);
    expect((await bench.ask('POST', '/v2/bysys/app/blobs/uploads/', { as: robot })).status).toBe(202);
    const missing = await bench.ask('POST', '/v2/nope/app/blobs/uploads/', { as: robot });
    expect([missing.status, missing.headers['www-authenticate']]).toEqual([401, '']);
  });

  it('is named by the configured prefix', async () => {
    await bench.api('PUT', '/configurations', { json: { robot_name_prefix: 'bot_' } });
    const robot = await create(projectRobot('pfx', 'p1', 'repository:push'));
    expect(robot.name).toBe('bot_p1+pfx');
    expect((await bench.ask('GET', '/v2/', { as: robot })).status).toBe(200);
    await bench.api('PUT', '/configurations', { json: { robot_name_prefix: 'robot$' } });
  });
});
