import { constants } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { DeliverError, messageOf, systemCode } from '../core/errors.ts';
import { goodSignatures } from './carry-trust.ts';
import { identify, type Candidate } from './identify.ts';
import { isPartName } from './layout.ts';
import { MANIFEST_START, MOST_MANIFEST, parseCarry, type CarryManifest } from './manifest.ts';
import { PATCH_START, readPatch, type PatchedLeaf } from './patch.ts';

/** A carry set in a folder, whole or not, with its files open. */
export interface OpenCarry {
  readonly folder: string;
  readonly carry: CarryManifest;
  /** By index of volume, data before parity; undefined where no file is that volume. */
  readonly files: readonly (Candidate | undefined)[];
  /** Good leaves that patch volumes bring, by their number in the bundle. */
  readonly patched: ReadonlyMap<number, PatchedLeaf>;
  /** Names of the patch volumes that bring them. */
  readonly patches: readonly string[];
  /** Names of the copies of this very carry manifest; there should be two. */
  readonly manifests: readonly string[];
  /** Names of copies that say the same, but have other signatures. */
  readonly otherwiseSigned: readonly string[];
  /** Names of carry manifests that can't be read. */
  readonly damagedManifests: readonly string[];
  /** Files that belong to nothing here. */
  readonly foreign: readonly string[];
  close(): Promise<void>;
}

/** A file that says it is a carry manifest: parsed, or what is wrong with it. */
interface Said {
  readonly name: string;
  readonly carry: CarryManifest | string;
}

/**
 * Finds the carry set of a folder. Nothing is hashed but what tells the volumes apart; nothing is written.
 * @param path the folder, or a file of the set in it; a carry manifest picks one of several sets
 * @throws DeliverError E_CARRY, E_FILE_NOT_FOUND, E_FILE_UNREADABLE
 */
export async function openCarry(path: string): Promise<OpenCarry> {
  const isFolder = (await stat(path).catch((error: unknown) => refuse(path, error))).isDirectory();
  const folder = isFolder ? path : dirname(path);
  const opened: Candidate[] = [];
  const close = async (): Promise<void> => {
    await Promise.allSettled(opened.splice(0).map(({ handle }) => handle.close()));
  };
  try {
    const said: Said[] = [];
    const patches: Candidate[] = [];
    const others: Candidate[] = [];
    for (const file of await openFiles(folder, opened)) {
      const start = await startOf(file);
      if (start.startsWith(MANIFEST_START)) said.push({ name: file.name, carry: await readManifest(file) });
      else if (start.startsWith(PATCH_START)) patches.push(file);
      else others.push(file);
    }
    const carry = choose(folder, said, isFolder ? undefined : basename(path));
    const files = await identify(carry, others);
    const patched = new Map<number, PatchedLeaf>();
    const used: string[] = [];
    const strange = new Set(others.filter((file) => !files.includes(file)).map(({ name }) => name));
    for (const patch of patches) {
      const leaves = await readPatch(patch.handle, carry);
      if (leaves.size === 0) strange.add(patch.name);
      else used.push(patch.name);
      for (const [leaf, place] of leaves) patched.set(leaf, place);
    }
    for (const { name, carry: found } of said) if (typeof found !== 'string' && found.id !== carry.id) strange.add(name);
    const copies = said.flatMap(({ name, carry: found }) =>
      typeof found === 'string' || strange.has(name)
        ? []
        : [{ name, same: isDeepStrictEqual(found.signatures, carry.signatures) }],
    );
    const [manifests, otherwiseSigned] = [true, false].map((wanted) =>
      copies.flatMap(({ name, same }) => (same === wanted ? [name] : [])),
    );
    return {
      folder,
      carry,
      files,
      patched,
      patches: used,
      manifests: manifests ?? [],
      otherwiseSigned: otherwiseSigned ?? [],
      damagedManifests: said.flatMap(({ name, carry: found }) => (typeof found === 'string' ? [name] : [])),
      foreign: [...strange].sort(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Carry manifests in a folder that can be read, each id once. */
export async function manifestsIn(folder: string): Promise<readonly CarryManifest[]> {
  const opened: Candidate[] = [];
  try {
    const found = new Map<string, CarryManifest>();
    for (const file of await openFiles(folder, opened)) {
      if (!(await startOf(file)).startsWith(MANIFEST_START)) continue;
      const carry = await readManifest(file);
      if (typeof carry !== 'string') found.set(carry.id, carry);
    }
    return [...found.values()];
  } finally {
    await Promise.allSettled(opened.map(({ handle }) => handle.close()));
  }
}

function choose(folder: string, said: readonly Said[], wanted: string | undefined): CarryManifest {
  const good = new Map<string, CarryManifest>();
  for (const { carry } of said) {
    if (typeof carry === 'string') continue;
    const other = good.get(carry.id);
    // One of the two may be damaged in a signature, or may have been signed by one more: the better one counts.
    if (other === undefined || goodSignatures(other) < goodSignatures(carry)) good.set(carry.id, carry);
  }
  const named = said.find(({ name, carry }) => name === wanted && typeof carry !== 'string')?.carry;
  const [first, ...more] = typeof named === 'object' ? [good.get(named.id)] : good.values();
  if (first !== undefined && more.length === 0) return first;
  if (first !== undefined) {
    throw new DeliverError('E_CARRY', {
      what: `${folder} holds ${String(good.size)} carry sets.`,
      fix: 'Name the carry manifest of one of them instead of the folder.',
      details: said.flatMap(({ name, carry }) => (typeof carry === 'string' ? [] : [`${name}: ${carry.bundle.name}`])),
    });
  }
  throw new DeliverError('E_CARRY', {
    what: `${folder} holds no carry set.`,
    why: said.length === 0 ? 'No file in it is a carry manifest.' : 'The carry manifest in it can’t be used.',
    fix: 'Copy <bundle>.carry.json or <bundle>.carry.end.json into it again: they are the same.',
    details: said.map(({ name, carry }) => `${name}: ${typeof carry === 'string' ? carry : ''}`),
  });
}

async function openFiles(folder: string, opened: Candidate[]): Promise<readonly Candidate[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => refuse(folder, error));
  const names = entries
    .filter((entry) => entry.isFile() && !isPartName(entry.name) && !entry.name.startsWith('.deliver-'))
    .map((entry) => entry.name);
  for (const name of names.sort()) {
    const path = join(folder, name);
    const handle = await open(path, constants.O_RDONLY).catch((error: unknown) => refuse(path, error));
    const file = { name, path, size: 0, handle };
    opened.push(file);
    file.size = (await handle.stat()).size;
  }
  return opened;
}

async function startOf(file: Candidate): Promise<string> {
  const bytes = Buffer.alloc(MANIFEST_START.length);
  const { bytesRead } = await file.handle.read(bytes, 0, bytes.length, 0).catch(() => ({ bytesRead: 0 }));
  return bytes.toString('latin1', 0, bytesRead);
}

async function readManifest(file: Candidate): Promise<CarryManifest | string> {
  if (file.size > MOST_MANIFEST) return `it has ${String(file.size)} bytes; at most ${String(MOST_MANIFEST)} are read`;
  const bytes = Buffer.alloc(file.size);
  const { bytesRead } = await file.handle.read(bytes, 0, file.size, 0).catch(() => ({ bytesRead: 0 }));
  return parseCarry(bytes.subarray(0, bytesRead));
}

function refuse(path: string, error: unknown): never {
  const missing = systemCode(error) === 'ENOENT';
  throw new DeliverError(missing ? 'E_FILE_NOT_FOUND' : 'E_FILE_UNREADABLE', {
    what: missing ? `There is no file or folder ${path}.` : `${path} can't be read.`,
    why: messageOf(error),
    cause: error,
  });
}
