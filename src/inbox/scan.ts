import { lstat, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { systemCode } from '../core/errors.ts';
import type { Look } from './settling.ts';

/** Something that may be a delivery; its files are looked at before it is opened. */
export interface Found {
  readonly kind: 'bundle' | 'set' | 'folder';
  /** What verify and install are given: the bundle, a carry manifest, or the folder of a carry set. */
  readonly path: string;
  readonly name: string;
}

export interface Inbox {
  readonly found: readonly Found[];
  /** Every file that counts, also in folders of carry sets. */
  readonly files: ReadonlyMap<string, Look>;
}

const BUNDLE = /\.tar$/i;
const MANIFEST = /\.(?:carry(?:\.end)?\.json|crj|cre)$/i;
/** Of ours, and of what browsers and sync tools do. */
const UNFINISHED = /(?:^\.|\.(?:part(?:\.[a-z]+)?|tmp|partial|filepart|crdownload)$)/i;

/**
 * What lies in an inbox: bundles by their name, carry sets by their manifests, beside bundles or in folders of their own.
 * Links, hidden files and unfinished names don't count.
 * @param except folders in it that are not looked into: done and quarantine
 */
export async function scanInbox(folder: string, except: readonly string[]): Promise<Inbox> {
  const files = new Map<string, Look>();
  const found: Found[] = [];
  const hidden = new Set(except.map((path) => resolve(path)));
  const { names, folders } = await listFolder(folder, files);
  for (const name of names) {
    if (BUNDLE.test(name)) found.push({ kind: 'bundle', path: join(folder, name), name });
    else if (MANIFEST.test(name) && !names.includes(beginOf(name))) found.push({ kind: 'set', path: join(folder, name), name });
  }
  for (const name of folders) {
    const path = join(folder, name);
    if (hidden.has(resolve(path))) continue;
    const inside = await listFolder(path, files);
    if (inside.names.some((file) => MANIFEST.test(file))) found.push({ kind: 'folder', path, name });
  }
  return { found, files };
}

/** The first carry manifest for the second one: they are the same, so one is enough. Itself for no second one. */
function beginOf(name: string): string {
  const begin = name.replace(/\.carry\.end\.json$/i, '.carry.json').replace(/\.cre$/i, '.crj');
  return begin === name ? '' : begin;
}

/** Files and folders of a folder, in the order of their names; the looks of the files are added to `files`. */
async function listFolder(
  folder: string,
  files: Map<string, Look>,
): Promise<{ readonly names: readonly string[]; readonly folders: readonly string[] }> {
  const entries = await readdir(folder, { withFileTypes: true });
  const counted = entries.filter(({ name }) => !UNFINISHED.test(name)).sort((a, b) => order(a.name, b.name));
  const names: string[] = [];
  for (const entry of counted) {
    if (!entry.isFile()) continue;
    const path = join(folder, entry.name);
    const look = await lookAt(path);
    if (look === undefined) continue;
    files.set(path, look);
    names.push(entry.name);
  }
  return { names, folders: counted.filter((entry) => entry.isDirectory()).map(({ name }) => name) };
}

/** Undefined when it is gone. */
export async function lookAt(path: string): Promise<Look | undefined> {
  try {
    const { size, mtimeMs } = await lstat(path);
    return { size, mtimeMs };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** 3.6.9 before 3.6.10: of two versions, the older is taken first. */
function order(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true }) || (a < b ? -1 : 1);
}
