import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import { gather } from '../../src/lock/small-blob.ts';
import { createFileSource } from '../../src/store/file-source.ts';
import { folderWith } from '../support/files.ts';
import { hasCommand } from '../support/has-command.ts';
import { startHttp } from '../support/http.ts';
import { noise } from '../support/images.ts';

const bytes = noise(300_000, 'http');
const files = createFileSource({ firstDelay: 1 });

/** A server that takes the next answer each time, the last one again and again. */
async function answers(
  ...list: ((request: IncomingMessage, response: ServerResponse) => void)[]
): Promise<{ url: string; seen: IncomingMessage[] }> {
  const seen: IncomingMessage[] = [];
  const url = await startHttp((request, response) => {
    seen.push(request);
    list[Math.min(seen.length, list.length) - 1]?.(request, response);
  });
  return { url, seen };
}

const whole = (_: unknown, response: ServerResponse): void => void response.end(bytes);
const status =
  (code: number) =>
  (_: unknown, response: ServerResponse): void =>
    void response.writeHead(code).end('no');
const cut = (_: unknown, response: ServerResponse): void => {
  response.writeHead(200, { 'content-length': bytes.byteLength });
  response.write(bytes.subarray(0, 1000), () => response.destroy());
};

describe('files over HTTP', () => {
  it('are measured and read whole', async () => {
    const { url } = await answers(whole);
    expect(await files.measure(`${url}/f`)).toEqual({ digest: digestOf(bytes), size: bytes.byteLength });
    expect((await gather(await files.open(`${url}/f?a=b`))).equals(bytes)).toBe(true);
  });

  it('are found behind redirects', async () => {
    const { url, seen } = await answers((_, response) => void response.writeHead(302, { location: '/there' }).end(), whole);
    expect((await files.measure(`${url}/here`)).size).toBe(bytes.byteLength);
    expect(seen.map((request) => request.url)).toEqual(['/here', '/there']);
  });

  it('keep the account to the host that it is for', async () => {
    const other = await answers(whole);
    const { url, seen } = await answers((_, response) => void response.writeHead(302, { location: `${other.url}/f` }).end());
    await files.measure(`${url.replace('://', '://me:hunter22@')}/f`);
    expect(seen[0]?.headers.authorization).toBe(`Basic ${Buffer.from('me:hunter22').toString('base64')}`);
    expect(other.seen[0]?.headers.authorization).toBeUndefined();
  });

  it('take the account along on the same host, also where an answer is of a length that nobody said', async () => {
    const { url, seen } = await answers((request, response) => {
      if (request.url === '/there') response.write(bytes, () => response.end());
      else response.writeHead(302, { location: '/there', 'transfer-encoding': 'chunked' }).end('moved');
    });
    expect((await files.measure(`${url.replace('://', '://me:hunter22@')}/here`)).digest).toBe(digestOf(bytes));
    expect(seen.map((request) => [request.url, request.headers.authorization !== undefined])).toEqual([
      ['/here', true],
      ['/there', true],
      ['/there', true],
    ]);
  });

  it('are found behind a redirect that never says the rest of its words', async () => {
    const { url } = await answers((_, response) => {
      response.writeHead(302, { location: '/there', 'content-length': 10 });
      response.write('m');
    }, whole);
    expect((await files.measure(`${url}/here`)).size).toBe(bytes.byteLength);
  });

  it.skipIf(!hasCommand('openssl'))('are not fetched without encryption where it was asked for', async () => {
    const plain = await answers(whole);
    const folder = await folderWith({});
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const out = ['-keyout', 'key.pem', '-out', 'cert.pem', '-days', '2'];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...out, ...subject], {
      cwd: folder,
      stdio: 'ignore',
    });
    const [key, ca] = ['key.pem', 'cert.pem'].map((name) => readFileSync(join(folder, name), 'utf8'));
    const server = createServer({ key, cert: ca }, (_, response) => {
      response.writeHead(301, { location: `${plain.url}/f` }).end();
    });
    server.listen(0, 'localhost');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `https://localhost:${String((server.address() as AddressInfo).port)}/f`;
    const trusting = createFileSource({ firstDelay: 1, ...(ca === undefined ? {} : { ca }) });
    await expect(trusting.open(url)).rejects.toThrowWithCode('E_SOURCE', 'without encryption');
    expect(plain.seen).toHaveLength(0);
  });

  it('are not unpacked on the way', async () => {
    const packed = gzipSync(bytes);
    const { url, seen } = await answers(
      (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed),
    );
    expect((await files.measure(`${url}/f.tgz`)).digest).toBe(digestOf(packed));
    expect(seen[0]?.headers['accept-encoding']).toBe('identity');
  });

  it.each([
    ['answers of 503 and 429', [status(503), status(429), whole], 3],
    ['a connection that broke in the middle', [cut, whole], 2],
  ] as const)('are asked for again after %s', async (_, list, requests) => {
    const { url, seen } = await answers(...list);
    expect((await files.measure(`${url}/f`)).digest).toBe(digestOf(bytes));
    expect(seen).toHaveLength(requests);
  });

  it.each([
    [404, 'E_SOURCE_NOT_FOUND', 1],
    [403, 'E_SOURCE_AUTH', 1],
    [400, 'E_SOURCE', 1],
    [500, 'E_SOURCE', 5],
  ] as const)('that are refused with %i end with %s, without the account in the message', async (code, expected, requests) => {
    const { url, seen } = await answers(status(code));
    const secret = `${url.replace('://', '://me:hunter22@')}/f?token=hunter22`;
    const error: unknown = await files.open(secret).catch((thrown: unknown) => thrown);
    expect(error).toThrowWithCode(expected, `${url}/f`);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('hunter22');
    expect(seen).toHaveLength(requests);
  });

  it('that nobody serves end with the address', async () => {
    await expect(files.open('http://127.0.0.1:9/f')).rejects.toThrowWithCode('E_SOURCE', 'ECONNREFUSED');
  });

  it('that go round in a circle come to an end', async () => {
    const { url } = await answers((_, response) => void response.writeHead(302, { location: '/again' }).end());
    await expect(files.open(`${url}/f`)).rejects.toThrowWithCode('E_SOURCE', 'more than 10 times');
  });

  it('stop when told to', async () => {
    const abort = new AbortController();
    const { url } = await answers(() => {
      abort.abort(new Error('stop'));
    });
    await expect(files.measure(`${url}/f`, abort.signal)).rejects.toThrow('stop');
  });
});
