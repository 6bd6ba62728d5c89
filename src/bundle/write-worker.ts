import { createHash, type Hash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { systemCode } from '../core/errors.ts';
import type { WriteAnswer, WriteJob } from './write-pool.ts';

// The entry of a worker thread: hashes the pieces of blobs and writes them at their places.

const hashes = new Map<number, Hash>();

parentPort?.on('message', (job: WriteJob) => {
  parentPort?.postMessage(answerTo(job));
});

function answerTo(job: WriteJob): WriteAnswer {
  const { turn, blob } = job;
  const hash = hashes.get(blob) ?? createHash('sha256');
  hashes.set(blob, hash);
  if (job.kind === 'digest') {
    hashes.delete(blob);
    return { turn, digest: `sha256:${hash.digest('hex')}` };
  }
  try {
    const { descriptor, bytes, position } = job;
    hash.update(bytes);
    for (let done = 0; done < bytes.byteLength;) {
      done += writeSync(descriptor, bytes, done, bytes.byteLength - done, position + done);
    }
    return { turn };
  } catch (error) {
    return { turn, failure: { message: String(error), code: systemCode(error) } };
  }
}
