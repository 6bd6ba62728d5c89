import { createHash, type Hash } from 'node:crypto';
import { readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { messageOf, systemCode } from '../core/errors.ts';
import { Incoming, type Said } from './incoming.ts';
import type { TransferJob, TransferWord } from './transfer-words.ts';

// The entry of a thread that receives blobs, hashes them and writes them at their places.

/** Bytes received at once; all the memory that a connection takes. */
const BUFFER = 512 * 1024;

const incoming = new Map<number, Incoming>();
const hashes = new Map<number, Hash>();
/** Of connections that came to their end: left to the collector they would pile up. */
const spare: Buffer[] = [];

function hashOf(number: number): Hash {
  const hash = hashes.get(number) ?? createHash('sha256');
  hashes.set(number, hash);
  return hash;
}

function say(word: TransferWord): void {
  parentPort?.postMessage(word);
}

parentPort?.on('message', (job: TransferJob) => {
  try {
    obey(job);
  } catch (error) {
    say({ id: job.id, kind: 'failed', reached: 0, message: messageOf(error), code: systemCode(error), disk: true });
  }
});

function obey(job: TransferJob): void {
  const { id } = job;
  switch (job.kind) {
    case 'get': {
      const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER);
      const ended = (clean: boolean): void => {
        incoming.delete(id);
        if (clean) spare.push(buffer);
      };
      const tell = (said: Said): void => {
        say({ id, ...said });
      };
      incoming.set(id, new Incoming(job, buffer, tell, ended));
      break;
    }
    case 'place': {
      const { hash } = job.order;
      incoming.get(id)?.place(job.order, hash === undefined ? undefined : hashOf(hash));
      break;
    }
    case 'shorten':
      incoming.get(id)?.shorten(job.end);
      break;
    case 'drop':
      incoming.get(id)?.drop();
      break;
    case 'read-back':
      readBack(job.descriptor, job.offset, job.size, hashOf(job.hash));
      say({ id, kind: 'done' });
      break;
    case 'digest': {
      const digest = `sha256:${hashOf(job.hash).digest('hex')}`;
      hashes.delete(job.hash);
      say({ id, kind: 'done', digest });
      break;
    }
  }
}

/** Bytes that came before their turn are hashed from the file. */
function readBack(descriptor: number, offset: number, size: number, hash: Hash): void {
  const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER);
  for (let done = 0; done < size;) {
    const count = readSync(descriptor, buffer, 0, Math.min(buffer.length, size - done), offset + done);
    if (count === 0) throw new Error('the file ends before what was written to it');
    hash.update(buffer.subarray(0, count));
    done += count;
  }
  spare.push(buffer);
}
