import { createHash } from 'node:crypto';
import { closeSync, createReadStream, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';

export interface StoredBlob {
  readonly size: number;
  /** `end` is inclusive. */
  read(start: number, end: number): Readable;
  bytes(): Buffer;
}

/** An upload on its way in, hashed while it grows. */
export interface Growing {
  readonly size: number;
  append(chunk: Buffer): void;
  /** `sha256` or `sha512`. */
  digest(algorithm: string): string;
  finish(): StoredBlob;
}

export interface BlobStore {
  begin(): Growing;
  close(): void;
}

function memoryBlob(bytes: Buffer): StoredBlob {
  return {
    size: bytes.length,
    read: (start, end) => Readable.from(bytes.length === 0 ? [] : [bytes.subarray(start, end + 1)]),
    bytes: () => bytes,
  };
}

function fileBlob(path: string, size: number): StoredBlob {
  return {
    size,
    read: (start, end) => (size === 0 ? Readable.from([]) : createReadStream(path, { start, end })),
    bytes: () => readFileSync(path),
  };
}

function growing(write: (chunk: Buffer) => void, finish: (size: number) => StoredBlob): Growing {
  const hashes = { sha256: createHash('sha256'), sha512: createHash('sha512') };
  let size = 0;
  return {
    get size() {
      return size;
    },
    append: (chunk) => {
      size += chunk.length;
      hashes.sha256.update(chunk);
      hashes.sha512.update(chunk);
      write(chunk);
    },
    digest: (algorithm) => {
      const name = algorithm === 'sha512' ? 'sha512' : 'sha256';
      return `${name}:${hashes[name].copy().digest('hex')}`;
    },
    finish: () => finish(size),
  };
}

export function memoryStore(): BlobStore {
  return {
    begin: () => {
      const chunks: Buffer[] = [];
      return growing(
        (chunk) => chunks.push(chunk),
        () => memoryBlob(Buffer.concat(chunks)),
      );
    },
    close: () => undefined,
  };
}

/** For content too big for memory: one file per upload in a new folder below `parent`, removed at the end. */
export function folderStore(parent: string): BlobStore {
  const folder = mkdtempSync(join(parent, 'registry-'));
  let count = 0;
  return {
    begin: () => {
      const path = join(folder, String((count += 1)));
      const file = openSync(path, 'w');
      return growing(
        (chunk) => writeSync(file, chunk),
        (size) => {
          closeSync(file);
          return fileBlob(path, size);
        },
      );
    },
    close: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
