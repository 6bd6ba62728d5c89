import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import type { ClusterApi } from '../../cluster/port.ts';
import { takeSiteLock, type SiteLock } from '../../cluster/site-lock.ts';
import { systemCode } from '../../core/errors.ts';
import type { Report } from '../../core/report.ts';

/** The site’s lock as a run of install holds it: from before its first change until its end, however it ends. */
export class InstallLock {
  #lock: SiteLock | undefined;

  /** Takes it; once. @throws DeliverError E_SITE_BUSY, E_CLUSTER, E_CLUSTER_AUTH */
  async take(api: ClusterApi, report: Report, signal: AbortSignal): Promise<void> {
    this.#lock ??= await takeSiteLock(api, { holder: thisProcess(), isDead, report, signal });
  }

  /** The signal of the run, that also ends when the lock is lost. */
  guard(signal: AbortSignal): AbortSignal {
    return this.#lock === undefined ? signal : AbortSignal.any([signal, this.#lock.lost]);
  }

  async release(): Promise<void> {
    const lock = this.#lock;
    this.#lock = undefined;
    await lock?.release();
  }
}

function thisProcess(): string {
  const { username } = userInfo();
  return `${username}@${hostname()}, process ${String(process.pid)}, ${processSpace()}, ${randomBytes(4).toString('hex')}`;
}

/** Tells where a process number means the same process: this boot of this machine, and this container of it. Host names don't. */
export function processSpace(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
    return createHash('sha256').update(boot).update(readlinkSync('/proc/self/ns/pid')).digest('hex').slice(0, 12);
  } catch {
    // Not a Linux: nobody is known to be dead, and the lock is followed when its time is over.
    return 'unknown';
  }
}

/** A process of this machine that is no more: killed, so it could not give its lock back. */
function isDead(holder: string): boolean {
  const [, process_ = '', space] = holder.split(', ');
  const pid = Number(process_.replace('process ', ''));
  if (space === 'unknown' || space !== processSpace() || !Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return systemCode(error) === 'ESRCH';
  }
}
