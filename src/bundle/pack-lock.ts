import { readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeliverError, systemCode } from '../core/errors.ts';

/**
 * Keeps a second pack away from the same output. The lock of a process that is gone is taken over.
 * @returns what releases it
 * @throws DeliverError E_OUTPUT when another pack is at work
 */
export async function lockOutput(target: string): Promise<() => Promise<void>> {
  const path = `${target}.part.lock`;
  const mine = await processId(process.pid);
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await writeFile(path, mine, { flag: 'wx' });
      return () => unlink(path);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
    const holder = await readHolder(path);
    if (await isAlive(holder)) throw busy(target, holder);
    await removeStale(path, holder);
  }
  throw busy(target, '');
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
async function removeStale(path: string, holder: string): Promise<void> {
  const aside = `${path}.${String(process.pid)}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  const moved = await read(aside);
  await unlink(aside);
  if (moved !== holder) throw busy(path.slice(0, -'.part.lock'.length), moved);
}

function busy(target: string, holder: string): DeliverError {
  return new DeliverError('E_OUTPUT', {
    what: `Another deliver pack is writing ${target}.`,
    why: `Process ${holder.split(' ').slice(0, 2).join(' on ')} holds ${target}.part.lock.`,
    fix: 'Wait until it is done, or write elsewhere with --output. If that machine is gone, remove the lock file.',
    state: 'Nothing was changed.',
  });
}

async function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
