import { lstat, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCode, type DeliverError } from '../core/errors.ts';

/** The error for whoever comes second. @param holder like `process 4711 on gateway-1` */
export type Busy = (holder: string) => DeliverError;

/**
 * Makes a file that says who is at work. The lock of a process that is gone is taken over.
 * @returns what releases it
 * @throws DeliverError of `busy` when another process holds it; errors of the file system as they are
 */
export async function lockFile(path: string, busy: Busy): Promise<() => Promise<void>> {
  const mine = await processId(process.pid);
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await writeFile(path, mine, { flag: 'wx' });
      // Not when somebody removed it by hand and it is another's now.
      return async () => {
        if ((await read(path)) === mine) await rm(path, { force: true });
      };
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
    const holder = await readHolder(path);
    if (await isAlive(holder)) throw busy(holderText(holder));
    await removeStale(path, holder, busy);
  }
  throw busy('another process');
}

function holderText(holder: string): string {
  const [pid = '', host = ''] = holder.split(' ');
  return `process ${pid} on ${host}`;
}

/** Text that names a running process also after its number was given to another: number, machine, boot and start time. */
async function processId(pid: number): Promise<string> {
  const [boot, stat] = await Promise.all([read('/proc/sys/kernel/random/boot_id'), read(`/proc/${String(pid)}/stat`)]);
  // The command name may hold spaces and brackets; the start time is the 20th field after it (proc(5)).
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  return `${String(pid)} ${hostname()} ${boot.trim()} ${started}\n`;
}

async function readHolder(path: string): Promise<string> {
  const holder = await read(path);
  if (holder !== '') return holder;
  // Made by someone who has not written its name yet, or who died before.
  await sleep(200);
  return read(path);
}

async function isAlive(holder: string): Promise<boolean> {
  const [number, host] = holder.split(' ');
  const pid = Number(number);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  // On a shared folder another machine may be at work; from here nobody can tell whether it still is.
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return false;
  }
  return (await processId(pid)) === holder;
}

/** Moves the stale lock aside first, so that of two who do this at once only one removes it. */
async function removeStale(path: string, holder: string, busy: Busy): Promise<void> {
  const aside = `${path}.${String(process.pid)}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  const moved = await read(aside);
  await unlink(aside);
  if (moved !== holder) throw busy(holderText(moved));
}

async function read(path: string): Promise<string> {
  try {
    // Not from a pipe or a link that somebody put there: reading it may never end.
    return (await lstat(path)).isFile() ? await readFile(path, 'utf8') : '';
  } catch {
    return '';
  }
}
