import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { gather } from '../../src/lock/small-blob.ts';
import { Receiver } from '../../src/store/receiver.ts';

/** Answers the nth request of all connections with the nth of these texts, as they are. */
async function rawServer(...answers: ((socket: Socket) => void)[]): Promise<{ url: URL; connections: () => number }> {
  let asked = 0;
  let connections = 0;
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    connections += 1;
    open.add(socket);
    socket.on('error', () => undefined).on('data', () => answers[asked++]?.(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  const url = new URL(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}/f`);
  return { url, connections: () => connections };
}

const says =
  (text: string, line = 'HTTP/1.1 200 OK', more = '') =>
  (socket: Socket): void =>
    void socket.write(`${line}\r\ncontent-length: ${String(text.length)}\r\n${more}\r\n${text}`);

async function got(receiver: Receiver, url: URL): Promise<string> {
  const { body } = await receiver.get(url, {}, undefined);
  return body === undefined ? 'no body' : (await gather(body)).toString();
}

it('a connection is kept for the next file', async () => {
  const { url, connections } = await rawServer(says('one'), says('two'));
  const receiver = new Receiver(undefined);
  expect([await got(receiver, url), await got(receiver, url)]).toEqual(['one', 'two']);
  expect(connections()).toBe(1);
});

it.each([
  ['its server closes it', says('one', 'HTTP/1.1 200 OK', 'Connection: foo , Close\r\n')],
  ['it is HTTP/1.0', says('one', 'HTTP/1.0 200 OK')],
])('but not when %s', async (_, first) => {
  const { url, connections } = await rawServer(first, says('two'));
  const receiver = new Receiver(undefined);
  expect([await got(receiver, url), await got(receiver, url)]).toEqual(['one', 'two']);
  expect(connections()).toBe(2);
});

it('what a server sends unasked on a kept connection is never taken for the answer to the next request', async () => {
  let told = (): void => undefined;
  const stray = new Promise<void>((resolve) => (told = resolve));
  const { url, connections } = await rawServer((socket) => {
    says('one')(socket);
    setTimeout(() => {
      socket.write('HTTP/1.1 408 Request Timeout\r\ncontent-length: 3\r\n\r\nbye', () => {
        told();
      });
    }, 100);
  }, says('two'));
  const receiver = new Receiver(undefined);
  expect(await got(receiver, url)).toBe('one');
  await stray;
  // It is on loopback, but still on its way.
  await sleep(200);
  expect(await got(receiver, url)).toBe('two');
  expect(connections()).toBe(2);
});

it('a server that falls silent while its bytes are being worked on is not waited for without end', async () => {
  const { url } = await rawServer((socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\none'));
  const { body } = await new Receiver(undefined, 100).get(url, {}, undefined);
  const read = async (): Promise<string[]> => {
    const chunks: string[] = [];
    for await (const chunk of body ?? []) {
      chunks.push(Buffer.from(chunk).toString());
      await sleep(400);
    }
    return chunks;
  };
  await expect(read()).rejects.toMatchObject({ code: 'ETIMEDOUT' });
});
