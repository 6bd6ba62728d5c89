import { once } from 'node:events';
import { createServer, request as forward, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request that went through to its end, or broke. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  /** Answered below 300 and passed on whole. */
  whole: boolean;
}

/** A front on loopback that keeps the Host header (signatures cover it) and remembers what passed. */
export interface CountingProxy {
  readonly url: string;
  readonly seen: SeenRequest[];
  /** Called when a request has come in; it is held until this ends. */
  hold: (request: SeenRequest) => Promise<void> | void;
  stop(): Promise<void>;
}

export async function startCountingProxy(to: string): Promise<CountingProxy> {
  const target = new URL(to);
  const seen: SeenRequest[] = [];
  const server = createServer((incoming, answer) => {
    const entry: SeenRequest = {
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      range: incoming.headers.range,
      whole: false,
    };
    seen.push(entry);
    const options = {
      host: target.hostname,
      port: target.port,
      method: entry.method,
      path: entry.path,
      headers: incoming.headers,
    };
    const pass = (): void => {
      const outgoing = forward(options, (response: IncomingMessage) => {
        answer.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(answer);
        answer.on('finish', () => (entry.whole = (response.statusCode ?? 500) < 300));
      });
      outgoing.on('error', () => answer.destroy());
      incoming.on('error', () => outgoing.destroy());
      incoming.on('close', () => {
        if (!incoming.complete) outgoing.destroy();
      });
      incoming.pipe(outgoing);
    };
    void Promise.resolve(proxy.hold(entry)).then(pass);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: CountingProxy = {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    seen,
    hold: () => undefined,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}
