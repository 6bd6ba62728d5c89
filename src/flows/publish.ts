import { open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { openBundle } from '../bundle/open-bundle.ts';
import { publishObject, type PublishedObject } from '../bucket/publish-object.ts';
import { bytesText, countText } from '../core/amounts.ts';
import { DeliverError, messageOf } from '../core/errors.ts';
import type { Flow, Report, Step } from '../core/report.ts';
import type { ObjectStore } from '../store/port.ts';

export interface PublishInput {
  /** A bundle, or a folder whose files are sent as they are. */
  readonly path: string;
  /** In front of every object's name; empty for none. */
  readonly prefix: string;
}

export interface PublishResult {
  /** `s3://bucket/prefix`. */
  readonly to: string;
  readonly objects: readonly PublishedObject[];
  readonly sentBytes: number;
  readonly keptBytes: number;
}

interface Outgoing {
  readonly path: string;
  readonly key: string;
  readonly size: number;
}

/** A bundle, or every file of a folder, to a bucket. */
export function publishFlow({ path, prefix }: PublishInput, store: ObjectStore): Flow<PublishResult> {
  let files: readonly Outgoing[] = [];
  const objects: PublishedObject[] = [];
  const look: Step = {
    id: 'structure',
    title: 'Structure',
    async run() {
      const found = await stat(path).catch((error: unknown) => {
        throw new DeliverError('E_FILE_NOT_FOUND', { what: `There is nothing at ${path}.`, why: messageOf(error), cause: error });
      });
      const key = (name: string): string => (prefix === '' ? name : `${prefix}/${name}`);
      if (found.isDirectory()) {
        files = (await carried(path)).map((file) => ({ ...file, key: key(basename(file.path)) }));
        return { summary: `${countText(files.length, 'file')} · ${bytesText(totalOf(files))}` };
      }
      const bundle = await openBundle(path);
      await bundle.close();
      files = [{ path, key: key(basename(path)), size: bundle.size }];
      const { name, version } = bundle.lock.metadata;
      return { summary: `${name} ${version} · ${bytesText(bundle.size)} · ${bundle.root.digest}` };
    },
  };
  const publish: Step = {
    id: 'publish',
    title: 'Published',
    async run(report, signal) {
      const meter = meterOf(report, totalOf(files));
      for (const file of files) objects.push(await send(store, file, meter, signal));
      const { sentBytes, keptBytes } = resultOf(store, prefix, objects);
      const kept = keptBytes === 0 ? '' : ` · ${bytesText(keptBytes)} from the interrupted run`;
      const changed = objects.filter(({ outcome }) => outcome === 'sent').length;
      return { summary: `${store.nameOf(prefix)} · ${bytesText(sentBytes)} sent${kept}`, changed };
    },
  };
  return { steps: [look, publish], result: () => resultOf(store, prefix, objects) };
}

async function send(store: ObjectStore, file: Outgoing, onBytes: Meter, signal: AbortSignal): Promise<PublishedObject> {
  const handle = await open(file.path, 'r');
  try {
    const opened = { path: file.path, handle, size: file.size };
    return await publishObject(store, file.key, opened, {
      signal,
      onBytes: (count) => {
        onBytes(count, file.key);
      },
    });
  } finally {
    await handle.close();
  }
}

type Meter = (count: number, detail: string) => void;

function meterOf(report: Report, total: number): Meter {
  let done = 0;
  return (count, detail) => {
    done += count;
    report.progress({ done, total, unit: 'bytes', detail });
  };
}

/** The files of a folder that may travel; the last word of a carry set last, so that whoever sees it finds the rest. */
async function carried(folder: string): Promise<{ readonly path: string; readonly size: number }[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.') && !/\.part(?:\.|$)/.test(entry.name))
    .map(({ name }) => name)
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  if (names.length === 0) throw new DeliverError('E_FILE_NOT_FOUND', { what: `There are no files in ${folder}.` });
  return Promise.all(names.map(async (name) => ({ path: join(folder, name), size: (await stat(join(folder, name))).size })));
}

function rank(name: string): number {
  if (name.endsWith('.carry.json')) return 0;
  return name.endsWith('.carry.end.json') ? 2 : 1;
}

function totalOf(files: readonly { readonly size: number }[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

function resultOf(store: ObjectStore, prefix: string, objects: readonly PublishedObject[]): PublishResult {
  const sum = (key: 'sentBytes' | 'keptBytes'): number => objects.reduce((total, object) => total + object[key], 0);
  return { to: store.nameOf(prefix), objects, sentBytes: sum('sentBytes'), keptBytes: sum('keptBytes') };
}
