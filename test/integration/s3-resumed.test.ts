import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import { gather } from '../../src/lock/small-blob.ts';
import { createFileSource } from '../../src/store/file-source.ts';
import { parseS3 } from '../../src/store/s3-address.ts';
import { createS3Store } from '../../src/store/s3-store.ts';
import type { ObjectStore } from '../../src/store/port.ts';
import { startCuttingFront, type CuttingFront } from '../support/cutting-front.ts';
import { noise } from '../support/images.ts';
import { BUCKET, noMinio, startMinio, type Minio } from '../support/minio.ts';

const SIZE = 900_000;
const bytes = noise(SIZE, 's3 over a bad line');

describe.skipIf(noMinio !== undefined)(
  `files from S3 over a bad line${noMinio === undefined ? '' : ` (skipped: ${noMinio})`}`,
  () => {
    let minio: Minio;
    let store: ObjectStore;
    let front: CuttingFront;
    const source = (): ReturnType<typeof createFileSource> => createFileSource({ firstDelay: 1, stall: 300 });
    const location = (): string => `s3://${BUCKET}/large?endpoint=${front.url}`;

    beforeAll(async () => {
      minio = await startMinio();
      Object.assign(process.env, minio.env);
      store = createS3Store(parseS3(`s3://${BUCKET}`, process.env), process.env);
    });
    afterAll(() => minio.stop());
    beforeEach(async () => {
      await store.put('large', bytes);
      front = await startCuttingFront(minio.url);
    });

    it.each([1, 256 * 1024 + 1, SIZE - 1])('go on where the connection broke, after %i bytes', async (cutAfter) => {
      front.flaws.push({ cutAfter });
      expect((await gather(await source().open(location()))).equals(bytes)).toBe(true);
      expect(front.asked).toEqual(['', `bytes=${String(cutAfter)}-`]);
    });

    it('go on after a silence, an answer of 503 and more breaks', async () => {
      front.flaws.push({ silentAfter: 300_000 }, { status: 503 }, { cutAfter: 77_777 }, { cutAfter: 1 });
      expect(await source().measure(location())).toEqual({ digest: digestOf(bytes), size: SIZE });
      expect(front.asked).toEqual(['', 'bytes=300000-', 'bytes=300000-', 'bytes=377777-', 'bytes=377778-']);
    });

    it('pass over what they had where the store sends all of it again', async () => {
      front.flaws.push({ cutAfter: 400_000 }, { whole: bytes });
      expect(await source().measure(location())).toEqual({ digest: digestOf(bytes), size: SIZE });
      expect(front.asked).toHaveLength(2);
    });

    it('are refused when the object was replaced in the middle', async () => {
      front.flaws.push({ cutAfter: 400_000 });
      front.before = async () => {
        if (front.asked.length === 2) await store.put('large', noise(SIZE, 'another object'));
      };
      const error: unknown = await source()
        .measure(location())
        .catch((thrown: unknown) => thrown);
      expect(error).toThrowWithCode('E_SOURCE', `s3://${BUCKET}/large was replaced while it was being read.`);
      expect(error).toMatchObject({ facts: { why: expect.stringMatching(/^Its ETag is not ".*" any more/) as string } });
      expect(front.asked).toHaveLength(2);
    });

    it('are refused when the object was deleted in the middle', async () => {
      front.flaws.push({ cutAfter: 400_000 });
      front.before = async () => {
        if (front.asked.length === 2) await store.remove(['large']);
      };
      await expect(source().measure(location())).rejects.toThrowWithCode('E_SOURCE_NOT_FOUND', 'large');
    });
  },
);
