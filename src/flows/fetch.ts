import { basename, join, resolve } from 'node:path';
import { openBundle } from '../bundle/open-bundle.ts';
import { damagedError, damageLine, verifyBundle } from '../bundle/verify-bundle.ts';
import { fetchObject, type FetchedObject } from '../bucket/fetch-object.ts';
import { bytesText, countText } from '../core/amounts.ts';
import { DeliverError } from '../core/errors.ts';
import { SILENT, type Flow, type Step } from '../core/report.ts';
import type { ObjectStore, StoredHead } from '../store/port.ts';

export interface FetchInput {
  /** One object, or the common beginning of several: a folder as it was published. */
  readonly key: string;
  /** Made when missing. */
  readonly folder: string;
}

export interface FetchResult {
  /** `s3://bucket/key`. */
  readonly from: string;
  readonly files: readonly FetchedObject[];
  readonly fetchedBytes: number;
  readonly keptBytes: number;
}

/** A bundle, or a folder that was published, from a bucket. */
export function fetchFlow({ key, folder }: FetchInput, store: ObjectStore): Flow<FetchResult> {
  let objects: readonly StoredHead[] = [];
  const files: FetchedObject[] = [];
  const look: Step = {
    id: 'look',
    title: 'Found',
    async run(_report, signal) {
      objects = await find(store, key, signal);
      return { summary: `${countText(objects.length, 'object')} · ${bytesText(totalOf(objects))}` };
    },
  };
  const fetch: Step = {
    id: 'fetch',
    title: 'Fetched',
    async run(report, signal) {
      const total = totalOf(objects);
      let done = 0;
      for (const head of objects) {
        const name = basename(head.key);
        const onBytes = (count: number): void => {
          done += count;
          report.progress({ done, total, unit: 'bytes', detail: name });
        };
        const examine = (path: string, isPromised: boolean): Promise<void> => examineFile(path, name, isPromised, signal);
        const file = await fetchObject(store, head, join(resolve(folder), name), { signal, onBytes, examine });
        if (!file.isPromised && !isBundleName(name))
          report.note(`${name}: its publisher promised no sha256; only its size was checked`);
        files.push(file);
      }
      const { fetchedBytes, keptBytes } = resultOf(store, key, files);
      const kept = keptBytes === 0 ? '' : ` · ${bytesText(keptBytes)} from the interrupted run`;
      const changed = files.filter(({ outcome }) => outcome === 'written').length;
      return { summary: `${folder} · ${bytesText(fetchedBytes)} fetched${kept}`, changed };
    },
  };
  return { steps: [look, fetch], result: () => resultOf(store, key, files) };
}

/** The object itself, or those directly below it. */
async function find(store: ObjectStore, key: string, signal: AbortSignal): Promise<readonly StoredHead[]> {
  const one = key === '' ? undefined : await store.head(key, signal);
  if (one !== undefined) return [one];
  const prefix = key === '' ? '' : `${key}/`;
  const heads: StoredHead[] = [];
  for await (const object of store.list(prefix, signal)) {
    const name = object.key.slice(prefix.length);
    if (!isPlainName(name)) continue;
    const head = await store.head(object.key, signal);
    if (head !== undefined) heads.push(head);
  }
  if (heads.length > 0) return heads;
  throw new DeliverError('E_STORE_NOT_FOUND', {
    what: `${store.nameOf(key)} is not there.`,
    why: 'There is no object of this name, nor any below it.',
    fix: 'Look what is there, for example with: aws s3 ls',
  });
}

/** A name that is one file in one folder, whatever the store holds. */
function isPlainName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\\\0]/.test(name);
}

/** A bundle has to be one; where nobody promised its bytes, each blob is hashed too. */
async function examineFile(path: string, name: string, isPromised: boolean, signal: AbortSignal): Promise<void> {
  if (!isBundleName(name)) return;
  const bundle = await openBundle(path);
  try {
    if (isPromised) return;
    const damage = await verifyBundle(bundle, SILENT, signal);
    if (damage.length > 0) throw damagedError(name, damage.map(damageLine));
  } finally {
    await bundle.close();
  }
}

function isBundleName(name: string): boolean {
  return name.endsWith('.tar');
}

function totalOf(objects: readonly { readonly size: number }[]): number {
  return objects.reduce((sum, { size }) => sum + size, 0);
}

function resultOf(store: ObjectStore, key: string, files: readonly FetchedObject[]): FetchResult {
  const sum = (name: 'fetchedBytes' | 'keptBytes'): number => files.reduce((total, file) => total + file[name], 0);
  return { from: store.nameOf(key), files, fetchedBytes: sum('fetchedBytes'), keptBytes: sum('keptBytes') };
}
