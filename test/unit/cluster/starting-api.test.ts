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

/** Answers as an API server does whose RBAC rules load with its `from`th request. @returns the way to it and what was asked */
async function apiServer(from: number): Promise<{ transport: KubeTransport; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    asked.push(url);
    const ready = asked.length >= from;
    const allowed = ready && (url === '/version' || url === '/readyz');
    response.writeHead(allowed ? 200 : 403, { connection: 'close', 'content-type': 'application/json' });
    response.end(
      JSON.stringify(
        allowed ? { gitVersion: 'v1.34.4' } : { kind: 'Status', status: 'Failure', reason: 'Forbidden', message: 'forbidden' },
      ),
    );
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const endpoint = { server: new URL(`http://127.0.0.1:${String(port)}`), tls: {}, headers: () => Promise.resolve({}) };
  const transport = new KubeTransport(endpoint);
  transports.push(transport);
  return { transport, asked };
}

describe('an API server that has just started', () => {
  it('is waited for when it refuses because it has not loaded its rules', async () => {
    const { transport, asked } = await apiServer(6);
    expect(await transport.request({ method: 'GET', path: '/version' })).toMatchObject({ status: 200 });
    expect(asked.slice(0, 2)).toEqual(['/version', '/readyz']);
  });

  it('is told from one that is ready and refuses: that is said at once', async () => {
    const { transport, asked } = await apiServer(1);
    expect(await transport.request({ method: 'GET', path: '/api/v1/namespaces' })).toMatchObject({ status: 403 });
    expect(asked).toEqual(['/api/v1/namespaces', '/readyz']);
  });
});
