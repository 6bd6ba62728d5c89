import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { outputError } from '../bundle/output-error.ts';
import { syncFolder } from '../bundle/sync-folder.ts';
import { exists, move } from './move.ts';
import { writeWhole } from '../core/write-whole.ts';

/** A delivery as it is moved: one file or folder, or some files of a folder that go into a folder of their own. */
export interface Parcel {
  /** Name in its new place, without number and ending. */
  readonly stem: string;
  /** `.tar`, `.carry` or nothing. */
  readonly ending: string;
  /** Files, or one folder. */
  readonly paths: readonly string[];
  /** True when the paths go into a new folder together. */
  readonly together: boolean;
}

const MOVING = '.moving';
/** What a killed copy leaves: half a file, or its marker. */
const LEFT_OVER = /\.(?:part|arriving)$/;

/**
 * Moves a parcel into a folder, under a name that is free there, with a report beside it. The report comes first: one
 * without its parcel is what a kill leaves behind, and is written anew by the next run.
 * @returns the path that it has now
 * @throws DeliverError E_OUTPUT, E_DISK_FULL
 */
export async function putAway(parcel: Parcel, folder: string, report: (path: string) => unknown): Promise<string> {
  try {
    const target = await freeName(folder, parcel);
    const text = `${JSON.stringify(report(target), null, 2)}\n`;
    await writeWhole(`${target}.report.json`, text);
    const [first = ''] = parcel.paths;
    if (parcel.together) await moveTogether(parcel, target);
    else await move(first, target);
    await Promise.all([dirname(first), folder].map(syncFolder));
    return target;
  } catch (error) {
    throw outputError(folder, error);
  }
}

/** Writes down why a delivery waits, where reports are looked for; it stays where it is. @throws DeliverError E_OUTPUT, E_DISK_FULL */
export async function putAside(parcel: Parcel, folder: string, report: object): Promise<void> {
  const path = waitingPath(parcel, folder);
  await writeWhole(path, `${JSON.stringify(report, null, 2)}\n`).catch((error: unknown) => {
    throw outputError(path, error);
  });
}

/** Takes that away again. */
export async function forget(parcel: Parcel, folder: string): Promise<void> {
  await rm(waitingPath(parcel, folder), { force: true });
}

function waitingPath({ stem, ending }: Parcel, folder: string): string {
  return join(folder, `${stem}${ending}.waiting.json`);
}

/**
 * Takes back into the inbox what a kill left half moved, so that the set is whole again in one place.
 * @returns names of the files that came back
 */
export async function takeBack(folder: string, inbox: string): Promise<readonly string[]> {
  const back: string[] = [];
  for (const name of await readdir(folder)) {
    if (!name.endsWith(MOVING)) continue;
    const half = join(folder, name);
    for (const file of await readdir(half)) {
      // Copied to another file system, but not yet taken from the inbox: the copy is not needed.
      if (LEFT_OVER.test(file) || (await exists(join(inbox, file)))) await rm(join(half, file));
      else await move(join(half, file), join(inbox, file));
      if (!LEFT_OVER.test(file)) back.push(file);
    }
    await rmdir(half);
  }
  return back;
}

/** All files into a folder that gets its name when the last of them is in it. */
async function moveTogether({ paths }: Parcel, target: string): Promise<void> {
  const half = `${target}${MOVING}`;
  await mkdir(half, { recursive: true });
  for (const path of paths) await move(path, join(half, basename(path)));
  await rename(half, target);
}

/** `suite.tar`, `suite-2.tar` … */
async function freeName(folder: string, { stem, ending }: Parcel): Promise<string> {
  for (let number = 1; ; number++) {
    const path = join(folder, `${stem}${number === 1 ? '' : `-${String(number)}`}${ending}`);
    if (!(await exists(path))) return path;
  }
}
