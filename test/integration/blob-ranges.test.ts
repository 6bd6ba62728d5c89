import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import type { FileTransfer } from '../../src/core/file-transfer.ts';
import { createRegistry } from '../../src/registry/registry.ts';
import { folderWith } from '../support/files.ts';
import { startHttp } from '../support/http.ts';
import { noise } from '../support/images.ts';

// Several ranges of one blob on their way at once (registry/blob-transfer.ts).

const MIB = 1024 * 1024;
const blob = noise(6 * MIB, 'a blob in ranges');
const digest = digestOf(blob);
const nothing = (): void => undefined;

type Answer = (request: IncomingMessage, response: ServerResponse, range: [number, number] | undefined) => unknown;

interface Scene {
  readonly transfer: FileTransfer;
  /** Range headers, in the order in which they came; '' without one. */
  readonly asked: string[];
  readonly written: () => Promise<Buffer>;
}

/** A registry that answers as it likes, and a file that the blob is to come to. */
async function scene(answer: Answer = honest): Promise<Scene> {
  const asked: string[] = [];
  const url = await startHttp((request, response) => {
    const range = request.headers.range ?? '';
    asked.push(range);
    const [, from, last] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
    const end = last === undefined || last === '' ? blob.length : Number(last) + 1;
    answer(request, response, from === undefined ? undefined : [Number(from), end]);
  });
  const client = createRegistry({ host: new URL(url).host, role: 'source', retry: { retries: 2, firstDelay: 5 } });
  onTestFinished(() => client.close());
  const handle = await open(join(await folderWith(), 'file'), 'w+');
  onTestFinished(() => handle.close());
  const place = { descriptor: handle.fd, offset: 512 };
  const transfer = await client.transfer?.('a/b', { digest, size: blob.length }, place, new AbortController().signal);
  if (transfer === undefined) throw new Error('no thread took it');
  const written = async (): Promise<Buffer> => {
    const bytes = Buffer.alloc(blob.length);
    await handle.read(bytes, 0, bytes.length, 512);
    return bytes;
  };
  return { transfer, asked, written };
}

function honest(_request: IncomingMessage, response: ServerResponse, range: [number, number] | undefined): void {
  if (range === undefined) response.writeHead(200, { 'content-length': blob.length }).end(blob);
  else partial(response, range, range);
}

function partial(response: ServerResponse, [from, end]: [number, number], told: [number, number]): void {
  const headers = {
    'content-length': end - from,
    'content-range': `bytes ${String(told[0])}-${String(told[1] - 1)}/${String(blob.length)}`,
  };
  response.writeHead(206, headers).end(blob.subarray(from, end));
}

/** Sends the beginning of the whole blob and then holds it until `go`. */
function held(go: Promise<unknown>, rest: Answer = honest): Answer {
  return (request, response, range) => {
    if (range !== undefined) {
      rest(request, response, range);
      return;
    }
    response.writeHead(200, { 'content-length': blob.length });
    response.write(blob.subarray(0, MIB));
    void go.then(() => response.end(blob.subarray(MIB)));
  };
}

it('ranges come in any order, and the hash is that of the whole', async () => {
  const { transfer, asked, written } = await scene(held(sleep(600_000, undefined, { ref: false })));
  const whole = transfer.whole(nothing);
  for (const [from, end] of [
    [5, 6],
    [2, 4],
    [4, 5],
    [1, 2],
  ] as const) {
    const piece = transfer.range(from * MIB, end * MIB, nothing);
    expect(await piece.agreed).toBe(true);
    expect(await piece.done).toBe(end * MIB);
  }
  whole.shorten(MIB);
  expect(await whole.done).toBeGreaterThanOrEqual(MIB);
  expect(await transfer.content()).toEqual({ size: blob.length, digest });
  expect((await written()).equals(blob)).toBe(true);
  expect(asked).toEqual(['', 'bytes=5242880-', 'bytes=2097152-4194303', 'bytes=4194304-5242879', 'bytes=1048576-2097151']);
});

it('a hole is seen: what is behind it does not count', async () => {
  const { transfer } = await scene(held(sleep(600_000, undefined, { ref: false })));
  const whole = transfer.whole(nothing);
  await transfer.range(3 * MIB, 6 * MIB, nothing).done;
  whole.shorten(MIB);
  await whole.done;
  expect((await transfer.content()).size).toBeLessThan(3 * MIB);
});

it.each<[string, Answer]>([
  ['ignores ranges', (_request, response) => response.writeHead(200, { 'content-length': blob.length }).end(blob)],
  [
    'sends another range',
    (_request, response, range = [0, 0]) => {
      partial(response, [range[0] + 1, range[1]], [range[0] + 1, range[1]]);
    },
  ],
  [
    'sends less than was asked for',
    (_request, response, [from] = [0, 0]) => {
      partial(response, [from, from + 10], [from, from + 10]);
    },
  ],
  [
    'says one range and sends another',
    (_request, response, [from, end] = [0, 0]) => {
      partial(response, [from, end - 1], [from, end]);
    },
  ],
  [
    'says no range',
    (_request, response, [from, end] = [0, 0]) => {
      response.writeHead(206, { 'content-length': end - from }).end(blob.subarray(from, end));
    },
  ],
  ['knows no such range', (_request, response) => response.writeHead(416, { 'content-length': 0 }).end()],
])('a source that %s has not agreed, and the first connection brings it all', async (_name, answer) => {
  const go = Promise.withResolvers<undefined>();
  const { transfer, written } = await scene(held(go.promise, answer));
  const whole = transfer.whole(nothing);
  const piece = transfer.range(2 * MIB, 4 * MIB, nothing);
  expect(await piece.agreed).toBe(false);
  expect(await piece.done).toBe(2 * MIB);
  go.resolve(undefined);
  expect(await whole.done).toBe(blob.length);
  expect(await transfer.content()).toEqual({ size: blob.length, digest });
  expect((await written()).equals(blob)).toBe(true);
});

it('a range whose connection breaks goes on where it broke', async () => {
  let broken = false;
  const { transfer, asked, written } = await scene((request, response, range) => {
    if (range === undefined || broken) {
      honest(request, response, range);
      return;
    }
    broken = true;
    const [from, end] = range;
    response.writeHead(206, {
      'content-length': end - from,
      'content-range': `bytes ${String(from)}-${String(end - 1)}/${String(blob.length)}`,
    });
    response.write(blob.subarray(from, from + 1000), () => response.destroy());
  });
  const whole = transfer.whole(nothing);
  await transfer.range(2 * MIB, 4 * MIB, nothing).done;
  await whole.done;
  expect(await transfer.content()).toEqual({ size: blob.length, digest });
  expect((await written()).equals(blob)).toBe(true);
  expect(asked.slice(1)).toEqual(['bytes=2097152-4194303', 'bytes=2098152-4194303']);
});

it('over TLS, with a private CA that the name is checked against', async () => {
  const folder = await folderWith();
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...name],
    {
      stdio: 'ignore',
    },
  );
  const ca = await readFile(cert, 'utf8');
  const server = createServer({ key: await readFile(key), cert: ca }, (_request, response) => {
    response.writeHead(200, { 'content-length': blob.length }).end(blob);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const handle = await open(join(folder, 'file'), 'w+');
  onTestFinished(() => handle.close());
  const transfer = async (host: string, trusted: boolean): Promise<FileTransfer | undefined> => {
    const retry = { retries: 0, firstDelay: 1 };
    const more = { plainHttp: false, address: `127.0.0.1:${String(port)}`, ...(trusted ? { ca } : {}) };
    const client = createRegistry({ host: `${host}:${String(port)}`, role: 'source', retry, ...more });
    onTestFinished(() => client.close());
    const place = { descriptor: handle.fd, offset: 0 };
    return client.transfer?.('a/b', { digest, size: blob.length }, place, new AbortController().signal);
  };
  const received = await transfer('localhost', true);
  expect(await received?.whole(nothing).done).toBe(blob.length);
  expect(await received?.content()).toEqual({ size: blob.length, digest });
  await expect(transfer('localhost', false)).rejects.toThrowWithCode('E_SOURCE');
  await expect(transfer('other.example', true)).rejects.toThrowWithCode('E_SOURCE', 'other.example');
});
