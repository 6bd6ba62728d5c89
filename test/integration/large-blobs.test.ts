import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import type { RequestListener } from 'node:http';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished, describe, expect, it } from 'vitest';
import { digestOf, verified } from '../../src/core/digest.ts';
import type { FilePlace } from '../../src/core/file-transfer.ts';
import { createRegistry, type Registry } from '../../src/registry/registry.ts';
import { folderWith } from '../support/files.ts';
import { startHttp } from '../support/http.ts';
import { noise } from '../support/images.ts';

// Blobs that are known to be large come over connections of their own on threads (registry/blob-transfer.ts).

const blob = noise(3_000_000, 'a large blob');
const digest = digestOf(blob);
const never = new AbortController().signal;

function reader(host: string): Registry {
  const client = createRegistry({ host, role: 'source', retry: { retries: 2, firstDelay: 5 } });
  onTestFinished(() => client.close());
  return client;
}

/** Brings the blob into a file on a thread, behind 100 bytes of something else. Returns what the file holds of it. */
async function receive(client: Registry, signal: AbortSignal = never): Promise<Buffer | undefined> {
  const { place, written } = await file();
  const transfer = await client.transfer?.('a/b', { digest, size: blob.byteLength }, place, signal);
  if (transfer === undefined) return undefined;
  await transfer.whole(() => undefined).done;
  expect(await transfer.content()).toEqual({ size: blob.byteLength, digest });
  return written();
}

async function file(): Promise<{ place: FilePlace; written: () => Promise<Buffer> }> {
  const handle = await open(join(await folderWith(), 'file'), 'w+');
  onTestFinished(() => handle.close());
  const written = async (): Promise<Buffer> => {
    const bytes = Buffer.alloc(blob.byteLength);
    await handle.read(bytes, 0, bytes.length, 100);
    return bytes;
  };
  return { place: { descriptor: handle.fd, offset: 100 }, written };
}

/** A registry with one blob, over HTTP as Node speaks it. */
async function serve(answer: RequestListener): Promise<string> {
  return new URL(await startHttp(answer)).host;
}

/** The same for answers that Node would not give. */
async function serveRaw(answer: (socket: Socket, request: string) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket
      .on('error', () => undefined)
      .once('data', (request) => {
        answer(socket, request.toString('latin1'));
      });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

const WHOLE = `HTTP/1.1 200 OK\r\nContent-Length: ${String(blob.byteLength)}\r\n\r\n`;

describe('a large blob arrives whole', () => {
  it('with a plain length', async () => {
    const host = await serve((_request, response) => response.writeHead(200, { 'content-length': blob.byteLength }).end(blob));
    expect((await receive(reader(host)))?.equals(blob)).toBe(true);
  });

  it('in chunks of unknown number, left to the HTTP library', async () => {
    const host = await serve((_request, response) => {
      response.write(blob.subarray(0, 1000));
      response.end(blob.subarray(1000));
    });
    const client = reader(host);
    expect(await receive(client)).toBeUndefined();
    const chunks: Uint8Array[] = [];
    const bytes = verified(await client.blob('a/b', digest), { digest, size: blob.byteLength }, 'it');
    for await (const chunk of bytes) chunks.push(Buffer.from(chunk));
    expect(Buffer.concat(chunks).equals(blob)).toBe(true);
  });

  it('after an early hint, its head in pieces', async () => {
    const host = await serveRaw((socket) => {
      socket.setNoDelay(true);
      socket.write(`HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${WHOLE.slice(0, 20)}`);
      setTimeout(() => {
        socket.write(WHOLE.slice(20));
        socket.write(blob);
      }, 20);
    });
    expect((await receive(reader(host)))?.equals(blob)).toBe(true);
  });

  it('when the connection breaks, from there on', async () => {
    const ranges: string[] = [];
    const host = await serveRaw((socket, request) => {
      const range = /^range: bytes=(\d+)-/im.exec(request)?.[1];
      ranges.push(range ?? '');
      if (range === undefined) {
        socket.write(WHOLE);
        socket.end(blob.subarray(0, 1_000_000));
        return;
      }
      const rest = blob.subarray(Number(range));
      socket.write(`HTTP/1.1 206 Partial Content\r\nContent-Length: ${String(rest.byteLength)}\r\n`);
      socket.write(`Content-Range: bytes ${range}-${String(blob.byteLength - 1)}/${String(blob.byteLength)}\r\n\r\n`);
      socket.end(rest);
    });
    expect((await receive(reader(host)))?.equals(blob)).toBe(true);
    expect(ranges).toEqual(['', '1000000']);
  });

  it('after a redirect and one 503', async () => {
    let asked = 0;
    const host = await serve((request, response) => {
      asked += 1;
      if (asked === 1) response.writeHead(503, { 'content-length': 4 }).end('wait');
      else if (request.url === '/storage') response.writeHead(200, { 'content-length': blob.byteLength }).end(blob);
      else response.writeHead(307, { location: '/storage', 'content-length': 0 }).end();
    });
    expect((await receive(reader(host)))?.equals(blob)).toBe(true);
    expect(asked).toBe(3);
  });
});

describe('a large blob ends in an error', () => {
  it('when it is gone', async () => {
    const host = await serve((_request, response) => response.writeHead(404, { 'content-length': 2 }).end('{}'));
    await expect(receive(reader(host))).rejects.toThrowWithCode('E_SOURCE_NOT_FOUND');
  });

  it('when what answers does not speak HTTP', async () => {
    const host = await serveRaw((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n\r\n'));
    await expect(receive(reader(host))).rejects.toThrowWithCode('E_SOURCE');
  });

  it('when the head never ends', async () => {
    const host = await serveRaw((socket) => socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(200_000)}`));
    await expect(receive(reader(host))).rejects.toThrowWithCode('E_SOURCE');
  });

  it('as soon as it is told to stop, before the answer and within it', async () => {
    const stop = new AbortController();
    const silent = await serveRaw(() => {
      stop.abort(new Error('stopped early'));
    });
    await expect(receive(reader(silent), stop.signal)).rejects.toThrow('stopped early');
    const later = new AbortController();
    const half = await serveRaw((socket) => {
      socket.write(WHOLE);
      socket.write(blob.subarray(0, 10), () => {
        later.abort(new Error('stopped late'));
      });
    });
    await expect(receive(reader(half), later.signal)).rejects.toThrow('stopped late');
  });

  it('when the client is closed meanwhile', async () => {
    const host = await serveRaw(() => {
      void client.close();
    });
    const client = reader(host);
    await expect(receive(client)).rejects.toThrowWithCode('E_SOURCE');
  });
});
