import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { KubeTransport } from '../../../src/cluster/transport.ts';

const servers: Server[] = [];
const transports: KubeTransport[] = [];

afterEach(async () => {
  await Promise.all(transports.splice(0).map((transport) => transport.close()));
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

/** One answer of an API server to who asks, `nobody` without an account. */
type Answer = (url: string, who: string, number: number) => 200 | 401 | 403 | 500;

/** @returns the way to an API server as somebody with a token, and what it was asked */
async function apiServer(answer: Answer): Promise<{ transport: KubeTransport; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer(({ url = '', headers }, response) => {
    const who = headers.authorization === undefined ? 'nobody' : 'somebody';
    asked.push(`${url} ${who}`);
    const status = answer(url, who, asked.length);
    response.writeHead(status, { connection: 'close', 'content-type': 'application/json' });
    response.end(
      JSON.stringify(
        status === 200 ? { gitVersion: 'v1.34.4' } : { kind: 'Status', status: 'Failure', reason: 'Refused', message: 'refused' },
      ),
    );
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const endpoint = {
    server: new URL(`http://127.0.0.1:${String(port)}`),
    tls: {},
    headers: () => Promise.resolve({ Authorization: 'Bearer token' }),
  };
  const transport = new KubeTransport(endpoint);
  transports.push(transport);
  return { transport, asked };
}

/** Whose RBAC rules load with its `from`th request. */
const loadsAt =
  (from: number): Answer =>
  (url, _who, number) =>
    number >= from && (url === '/version' || url === '/readyz') ? 200 : 403;

describe('an API server that has just started', () => {
  it('is waited for when it refuses because it has not loaded its rules', async () => {
    const { transport, asked } = await apiServer(loadsAt(6));
    expect(await transport.request({ method: 'GET', path: '/version' })).toMatchObject({ status: 200 });
    expect(asked.slice(0, 2)).toEqual(['/version somebody', '/readyz somebody']);
  });

  it('is told from one that is ready and refuses: that is said at once', async () => {
    const { transport, asked } = await apiServer(loadsAt(1));
    expect(await transport.request({ method: 'GET', path: '/api/v1/namespaces' })).toMatchObject({ status: 403 });
    expect(asked).toEqual(['/api/v1/namespaces somebody', '/readyz somebody']);
  });

  it.each([
    ['not ready', 500],
    ['without its rules', 403],
  ] as const)('is waited for when it is %s and does not know the account yet', async (_what, status) => {
    const { transport } = await apiServer((_url, who, number) => (number >= 6 ? 200 : who === 'nobody' ? status : 401));
    expect(await transport.request({ method: 'GET', path: '/version' })).toMatchObject({ status: 200 });
  });
});

describe('an account that has expired', () => {
  it.each([
    ['one that tells everybody whether it is ready', 200],
    ['one that tells nobody', 401],
  ] as const)('is told so by the first answer of %s', async (_what, status) => {
    const { transport, asked } = await apiServer((_url, who) => (who === 'nobody' ? status : 401));
    expect(await transport.request({ method: 'GET', path: '/version' })).toMatchObject({ status: 401 });
    expect(asked).toEqual(['/version somebody', '/readyz nobody']);
  });
});
