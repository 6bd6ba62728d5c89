import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestOf, type Digest } from '../../src/core/digest.ts';
import type { BlobPlaces } from '../../src/site/host/apply.ts';

/** Blobs in memory, read as a bundle's are, and how many bytes of each were. */
export interface MemoryBlobs extends BlobPlaces {
  readonly read: Map<Digest, number>;
  add(bytes: Uint8Array): { readonly digest: Digest; readonly size: number };
}

/** @param onRead called before every chunk */
export function memoryBlobs(onRead: (digest: Digest, start: number) => void = () => undefined): MemoryBlobs {
  const content = new Map<Digest, Uint8Array>();
  const read = new Map<Digest, number>();
  return {
    read,
    add: (bytes) => {
      const digest = digestOf(bytes);
      content.set(digest, bytes);
      return { digest, size: bytes.byteLength };
    },
    range: async function* (digest, start, length) {
      const bytes = content.get(digest)?.subarray(start, start + length) ?? new Uint8Array();
      for (let at = 0; at < bytes.byteLength; at += 64 * 1024) {
        onRead(digest, start + at);
        const chunk = bytes.subarray(at, at + 64 * 1024);
        read.set(digest, (read.get(digest) ?? 0) + chunk.byteLength);
        yield chunk;
      }
    },
  };
}

/** A gzipped tar of these files, made by the machine's tar. */
export function tarball(files: Readonly<Record<string, string>>): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'deliver-tarball-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, 'in', name)), { recursive: true });
      writeFileSync(join(folder, 'in', name), text, { mode: 0o755 });
    }
    const fixed = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0'];
    const made = spawnSync('tar', ['-cf', join(folder, 'out.tar'), ...fixed, '-C', join(folder, 'in'), '.'], {
      encoding: 'utf8',
    });
    if (made.status !== 0) throw new Error(`tar: ${made.stderr}`);
    return gzipSync(readFileSync(join(folder, 'out.tar')));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
