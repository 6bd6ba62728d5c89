import { bytesText } from '../../core/amounts.ts';
import { check, type Check } from './check.ts';
import type { BuildFacts, FileSystem } from './facts.ts';
import type { DiskWish, HostDuty } from './needs.ts';

/** Below this share of free space the kubelet deletes images and then evicts pods (its default image GC thresholds). */
const KUBELET_LOW = 0.15;
const INODES = 100_000;

interface Budget {
  readonly system: FileSystem;
  readonly wishes: DiskWish[];
}

/** The room that the plan needs on each file system of a host, and how these are mounted. */
export function storageChecks(host: string, facts: BuildFacts, duty: HostDuty): Check[] {
  const budgets = new Map<string, Budget>();
  for (const wish of duty.disk) {
    const system = facts.disk.find(({ path }) => path === wish.path);
    if (system === undefined) continue;
    const budget = budgets.get(system.mount) ?? { system, wishes: [] };
    budgets.set(system.mount, budget);
    budget.wishes.push(wish);
  }
  return [...[...budgets.values()].map((budget) => roomCheck(host, budget)), ...mountChecks(host, facts, duty)];
}

function roomCheck(host: string, { system, wishes }: Budget): Check {
  const outcome = check('disk', 'disk');
  const sum = (some: readonly DiskWish[]): number => some.reduce((bytes, wish) => bytes + wish.bytes, 0);
  const needed = sum(wishes.filter(({ firm }) => firm));
  const wanted = sum(wishes);
  const { free, total, mount, freeInodes } = system;
  const found = `${bytesText(free)} free on ${mount}, ${bytesText(needed)} needed, ${bytesText(wanted)} with room to grow`;
  const details = wishes
    .filter(({ bytes }) => bytes > 0)
    .map(({ path, bytes, what, firm }) => `${path}: ${bytesText(bytes)} ${what}${firm ? '' : ' (room to grow)'}`);
  if (free < needed) {
    const fix = `Free ${bytesText(needed - free)} on ${mount} of ${host}, or give ${largest(wishes)} a larger disk.`;
    return outcome.fail({ host, found, fix, details });
  }
  if (freeInodes !== undefined && freeInodes < INODES)
    return outcome.warn({
      host,
      found: `${String(freeInodes)} inodes free on ${mount}`,
      fix: `Remove small files on ${mount}.`,
      details,
    });
  if (free < wanted)
    return outcome.warn({
      host,
      found,
      fix: `Give ${mount} of ${host} ${bytesText(wanted - free)} more before it grows.`,
      details,
    });
  if (free - needed < total * KUBELET_LOW && wishes.some(({ path }) => path.endsWith('containerd')))
    return outcome.warn({
      host,
      found: `${found}: less than 15 % would be left, where the kubelet starts to delete images`,
      fix: `Give ${mount} of ${host} more room.`,
      details,
    });
  return outcome.pass({ host, found, details });
}

function largest(wishes: readonly DiskWish[]): string {
  return wishes.toSorted((a, b) => b.bytes - a.bytes)[0]?.path ?? '';
}

function mountChecks(host: string, { disk }: BuildFacts, duty: HostDuty): Check[] {
  const outcome = check('mounts', 'mount options');
  const readOnly = disk.filter(({ path, options }) => path !== '/tmp' && options.includes('ro')).map(({ mount }) => mount);
  if (readOnly.length > 0) {
    return [
      outcome.fail({
        host,
        found: `${[...new Set(readOnly)].join(', ')} is mounted read-only`,
        fix: `mount -o remount,rw on ${host}; if it was made read-only by errors, mend that disk first (dmesg).`,
      }),
    ];
  }
  const runs = new Set(duty.disk.filter(({ path }) => /containerd|docker|\/usr|\/opt/.test(path)).map(({ path }) => path));
  const barred = disk.filter(({ path, options }) => runs.has(path) && options.includes('noexec'));
  if (barred.length > 0) {
    const mounts = [...new Set(barred.map(({ mount }) => mount))].join(', ');
    return [
      outcome.fail({
        host,
        found: `${mounts} is mounted noexec: nothing can run from there`,
        fix: `Remount ${mounts} of ${host} with exec.`,
      }),
    ];
  }
  const tmp = disk.find(({ path }) => path === '/tmp');
  if (tmp?.options.includes('noexec') === true && duty.registry === 'harbor') {
    return [
      outcome.warn({
        host,
        found: '/tmp is noexec: Harbor’s installer may want it',
        fix: `mount -o remount,exec /tmp on ${host}`,
      }),
    ];
  }
  return [outcome.pass({ host })];
}
