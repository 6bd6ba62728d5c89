import { createHash } from 'node:crypto';
import { readSync, writeSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { systemCode } from '../core/errors.ts';
import type { HashAnswer, HashJob } from './hash-pool.ts';

// The entry of a worker thread: hashes ranges of open files, one after the other, in one buffer.

const buffer = new Uint8Array(1024 * 1024);
/** Bytes between two words about how far it is. */
const STEP = 16 * 1024 * 1024;

parentPort?.on('message', ({ descriptor, offset, size, copyTo }: HashJob) => {
  const tell = (answer: HashAnswer): void => {
    parentPort?.postMessage(answer);
  };
  const hash = createHash('sha256');
  let done = 0;
  let told = 0;
  let writing = false;
  try {
    while (done < size) {
      const count = readSync(descriptor, buffer, 0, Math.min(buffer.length, size - done), offset + done);
      if (count === 0) break;
      hash.update(buffer.subarray(0, count));
      if (copyTo !== undefined) {
        writing = true;
        writeAll(copyTo.descriptor, buffer.subarray(0, count), copyTo.offset + done);
        writing = false;
      }
      done += count;
      if (done - told < STEP) continue;
      tell({ kind: 'progress', count: done - told });
      told = done;
    }
    tell({ kind: 'hashed', count: done - told, size: done, digest: `sha256:${hash.digest('hex')}` });
  } catch (error) {
    tell({ kind: 'failed', offset: offset + done, message: String(error), code: systemCode(error), writing });
  }
});

function writeAll(descriptor: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done, bytes.length - done, position + done);
}
