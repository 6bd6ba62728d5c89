import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import { SILENT } from '../../src/core/report.ts';
import { packFlow, type PackPorts } from '../../src/flows/pack.ts';
import { gather } from '../../src/lock/small-blob.ts';
import { createFileSource } from '../../src/store/file-source.ts';
import { folderWith } from '../support/files.ts';
import {
  cutAfter,
  honest,
  ignoringRange,
  part,
  refusing,
  silentAfter,
  startFlawedFiles,
  type Answer,
  type FlawedFiles,
} from '../support/flawed-files.ts';
import { noise } from '../support/images.ts';
import { memorySource } from '../support/memory-source.ts';
import { releaseText } from '../support/releases.ts';

const SIZE = 900_000;
const bytes = noise(SIZE, 'a file over a bad line');
const other = noise(SIZE, 'what came in its place');
const etag = { etag: '"one"' };
const modified = { 'last-modified': 'Mon, 02 Nov 2026 10:00:00 GMT', date: 'Mon, 02 Nov 2026 11:00:00 GMT' };
const source = createFileSource({ firstDelay: 1, stall: 200 });

/** Read in two ways; the bytes have to be the file's. */
async function readWhole({ url, asked }: FlawedFiles): Promise<readonly string[]> {
  const got = await gather(await source.open(url));
  expect(got.equals(bytes)).toBe(true);
  return asked;
}

async function failureOf({ url }: FlawedFiles): Promise<unknown> {
  return source.measure(url).then(
    (got) => expect.fail(`read ${JSON.stringify(got)}`),
    (error: unknown) => error,
  );
}

describe('a file over a bad line', () => {
  it.each([1, 999, 256 * 1024, 256 * 1024 + 1, SIZE - 1])('goes on where the connection broke, after %i bytes', async (cut) => {
    const server = await startFlawedFiles({ bytes, headers: etag }, cutAfter(cut));
    expect(await readWhole(server)).toEqual(['', `bytes=${String(cut)}-`]);
  });

  it('goes on again and again, more often than a transfer may break without a new byte', async () => {
    const server = await startFlawedFiles({ bytes, headers: etag }, ...Array.from({ length: 9 }, () => cutAfter(70_001)));
    expect(await readWhole(server)).toEqual(['', ...Array.from({ length: 9 }, (_, at) => `bytes=${String(70_001 * (at + 1))}-`)]);
  });

  it('is measured in the same way', async () => {
    const server = await startFlawedFiles({ bytes, headers: modified }, cutAfter(5000), cutAfter(5000));
    expect(await source.measure(server.url)).toEqual({ digest: digestOf(bytes), size: SIZE });
    expect(server.asked).toEqual(['', 'bytes=5000-', 'bytes=10000-']);
  });

  it('goes on after a server fell silent', async () => {
    const server = await startFlawedFiles({ bytes, headers: etag }, silentAfter(300_000), silentAfter(1));
    expect(await readWhole(server)).toEqual(['', 'bytes=300000-', 'bytes=300001-']);
  });

  it('goes on after answers of 503 and 429, and keeps what it had', async () => {
    const [soon, now] = [refusing(503, { 'retry-after': '0' }), refusing(429)];
    const server = await startFlawedFiles({ bytes, headers: etag }, cutAfter(5000), soon, now);
    expect(await readWhole(server)).toEqual(['', 'bytes=5000-', 'bytes=5000-', 'bytes=5000-']);
  });

  it('waits no longer than a minute for a server, however long that wants', async () => {
    const server = await startFlawedFiles({ bytes, headers: etag }, cutAfter(450_000), refusing(503, { 'retry-after': '61' }));
    const error = await failureOf(server);
    expect(error).toThrowWithCode('E_SOURCE', 'The server answered 503.');
    expect(error).toMatchObject({ facts: { state: '450 of 900 KB of it had come; the next run takes it from its beginning.' } });
    expect(server.asked).toHaveLength(2);
  });

  it('is given up when four tries in a row bring nothing', async () => {
    const server = await startFlawedFiles(
      { bytes, headers: etag },
      cutAfter(5000),
      ...Array.from({ length: 9 }, () => cutAfter(0)),
    );
    expect(await failureOf(server)).toThrowWithCode('E_SOURCE', server.url);
    expect(server.asked).toHaveLength(5);
  });

  it('is begun anew when nothing of it had come, also when it is another one by now', async () => {
    const server = await startFlawedFiles({ bytes: other, headers: { etag: '"two"' } }, (...args) => {
      cutAfter(0)(...args);
      server.file = { bytes, headers: etag };
    });
    expect(await readWhole(server)).toEqual(['', '']);
  });

  it('stops when told to, also while it waits for the next try', async () => {
    const abort = new AbortController();
    const server = await startFlawedFiles({ bytes, headers: etag }, (...args) => {
      cutAfter(0)(...args);
      setTimeout(() => {
        abort.abort(new Error('stop'));
      }, 50);
    });
    const patient = createFileSource({ firstDelay: 600_000 });
    await expect(patient.measure(server.url, abort.signal)).rejects.toThrow('stop');
    expect(server.asked).toHaveLength(1);
  });

  it('comes through chunks of a length that nobody said', async () => {
    const chunked =
      (count: number): Answer =>
      (_request, response) => {
        response.writeHead(200, etag).write(bytes.subarray(0, count), () => response.destroy());
      };
    // Asked for twice each: what is framed so is left to a library.
    const server = await startFlawedFiles({ bytes, headers: etag }, chunked(5000), chunked(5000));
    expect(await readWhole(server)).toEqual(['', '', 'bytes=5000-']);
  });
});

describe('a server that does not send the rest alone', () => {
  it('ignores Range: what was had is passed over', async () => {
    const server = await startFlawedFiles({ bytes, headers: etag }, cutAfter(400_000), ignoringRange);
    expect(await readWhole(server)).toEqual(['', 'bytes=400000-']);
  });

  it.each([{}, { etag: 'W/"weak"' }, { ...modified, date: modified['last-modified'] }])(
    'says nothing that is sure (%j): the file is taken anew, and has to begin as before',
    async (headers) => {
      const server = await startFlawedFiles({ bytes, headers }, cutAfter(400_000), cutAfter(500_000));
      expect(await readWhole(server)).toEqual(['', '', '']);
      expect(await source.measure(server.url)).toEqual({ digest: digestOf(bytes), size: SIZE });
    },
  );

  it('begins before what was asked for: the bytes that are known are passed over', async () => {
    const early = part(`bytes 4000-${String(SIZE - 1)}/${String(SIZE)}`, bytes.subarray(4000));
    expect(await readWhole(await startFlawedFiles({ bytes, headers: etag }, cutAfter(5000), early))).toHaveLength(2);
  });

  it('sends less than the rest: it is asked for what is still missing', async () => {
    const some = part(`bytes 5000-5999/${String(SIZE)}`, bytes.subarray(5000, 6000));
    const server = await startFlawedFiles({ bytes, headers: etag }, cutAfter(5000), some);
    expect(await readWhole(server)).toEqual(['', 'bytes=5000-', 'bytes=6000-']);
  });

  it.each([
    ['begins too late', part(`bytes 5001-${String(SIZE - 1)}/${String(SIZE)}`, bytes.subarray(5001))],
    ['says no range', part(undefined, bytes.subarray(5000))],
    ['says another length than it sends', part(`bytes 5000-${String(SIZE - 1)}/${String(SIZE)}`, bytes.subarray(5001))],
    ['knows no such range', refusing(416, { 'content-range': `bytes */${String(SIZE)}` })],
  ])('and %s: nothing of that answer is taken', async (_, wrong) => {
    const once = await startFlawedFiles({ bytes, headers: etag }, cutAfter(5000), wrong);
    expect(await readWhole(once)).toEqual(['', 'bytes=5000-', 'bytes=5000-']);
    const ever = await startFlawedFiles({ bytes, headers: etag }, cutAfter(5000), ...Array.from({ length: 9 }, () => wrong));
    expect(await failureOf(ever)).toThrowWithCode('E_SOURCE', 'The server was asked for bytes from 5000 on');
  });
});

describe('a file that was replaced in the middle', () => {
  const longer = noise(SIZE + 1, 'longer');
  it.each<[string, FlawedFiles['file'], FlawedFiles['file'], string, Answer]>([
    ['its ETag', { bytes, headers: etag }, { bytes: other, headers: { etag: '"two"' } }, 'ETag was "one", and is "two"', honest],
    [
      'its date',
      { bytes, headers: modified },
      { bytes: other, headers: { ...modified, 'last-modified': 'Mon, 02 Nov 2026 10:30:00 GMT' } },
      'Last-Modified was Mon, 02 Nov 2026 10:00:00 GMT, and is Mon, 02 Nov 2026 10:30:00 GMT',
      honest,
    ],
    ['an ETag that is gone', { bytes, headers: etag }, { bytes: other }, 'ETag was "one", and is not told any more', honest],
    ['its size', { bytes, headers: etag }, { bytes: longer, headers: etag }, 'had 900000 bytes, and has 900001', honest],
    ['its bytes, where nothing else tells', { bytes }, { bytes: other }, 'first 5000 bytes are others', honest],
    [
      'its end, where nothing else tells',
      { bytes },
      { bytes: bytes.subarray(0, 4000) },
      'had 900000 bytes, and has 4000',
      honest,
    ],
    [
      'the ETag of a part, from a server that heeds no If-Range',
      { bytes, headers: etag },
      { bytes: other, headers: { etag: '"two"' } },
      'ETag was "one", and is "two"',
      part(`bytes 5000-${String(SIZE - 1)}/${String(SIZE)}`, other.subarray(5000)),
    ],
    [
      'the size, told with a part',
      { bytes, headers: etag },
      { bytes: other, headers: etag },
      'had 900000 bytes, and has 900001',
      part('bytes 5000-900000/900001', longer.subarray(5000)),
    ],
    [
      'the size, told with a refusal',
      { bytes, headers: etag },
      { bytes: other, headers: etag },
      'had 900000 bytes, and has 4000',
      refusing(416, { 'content-range': 'bytes */4000' }),
    ],
  ])('is told by %s, and asked for no more', async (_, before, after, why, answer) => {
    const server = await startFlawedFiles(
      before,
      (...args) => {
        cutAfter(5000)(...args);
        server.file = after;
      },
      answer,
    );
    const error = await failureOf(server);
    expect(error).toThrowWithCode('E_SOURCE', `${server.url} was replaced while it was being read.`);
    expect(error).toMatchObject({ facts: { why: expect.stringContaining(why) as string } });
    expect(server.asked).toHaveLength(2);
  });
});

it('a pack over a line that breaks again and again gives the same bundle, and nothing comes twice', async () => {
  const server = await startFlawedFiles({ bytes, headers: etag });
  const folder = await folderWith({ 'suite.yaml': releaseText({ files: [{ name: 'large', url: server.url }] }) });
  const ports: PackPorts = {
    images: () => memorySource({}),
    files: () => source,
    askPassphrase: () => Promise.reject(new Error('nobody should be asked')),
  };
  const pack = async (outputFolder: string): Promise<Buffer> => {
    const flow = packFlow({ releasePath: join(folder, 'suite.yaml'), outputFolder: join(folder, outputFolder) }, ports);
    for (const step of flow.steps) await step.run(SILENT, new AbortController().signal);
    return readFile(flow.result().path);
  };
  const whole = await pack('one');
  server.asked.length = 0;
  server.next.push(cutAfter(1), cutAfter(123_456), refusing(503), silentAfter(300_000), cutAfter(77_777));
  expect((await pack('two')).equals(whole)).toBe(true);
  expect(server.asked).toEqual(['', 'bytes=1-', 'bytes=123457-', 'bytes=123457-', 'bytes=423457-', 'bytes=501234-']);
});
