import { access, constants, mkdir, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { outputError } from '../bundle/output-error.ts';
import { countText } from '../core/amounts.ts';
import { DeliverError, messageOf } from '../core/errors.ts';
import type { Flow, Report } from '../core/report.ts';
import { endMoves } from '../inbox/move.ts';
import { takeBack } from '../inbox/put-away.ts';
import { scanInbox, type Inbox } from '../inbox/scan.ts';
import { Settling } from '../inbox/settling.ts';
import { lockFolders } from '../inbox/watch-lock.ts';
import { Deliveries } from './plan/deliveries.ts';
import type { DeliveryPorts } from './take-delivery.ts';

export interface WatchInput {
  readonly folder: string;
  readonly done: string;
  readonly quarantine: string;
  /** Ends when nothing is left that is settled, or still changing. */
  readonly once: boolean;
  /** Milliseconds without a change after which a file is taken for finished. */
  readonly settle: number;
  /** Milliseconds without a change after which missing volumes are no longer waited for. */
  readonly patience: number;
  /** Milliseconds between two looks. */
  readonly poll: number;
}

export interface WatchResult {
  readonly folder: string;
  readonly done: number;
  readonly quarantined: number;
  /** Carry sets that are not whole, and what could not be installed yet. */
  readonly waiting: readonly string[];
}

/**
 * `deliver watch`: takes whatever is whole out of an inbox, one at a time, until somebody asks to stop; that is its good
 * end. It remembers nothing: what lies in the folder is all that there is to know, so a restart goes on.
 */
export function watchFlow(input: WatchInput, ports: DeliveryPorts): Flow<WatchResult> {
  const { folder, done, quarantine } = input;
  let deliveries: Deliveries | undefined;
  return {
    steps: [
      {
        id: 'watch',
        title: 'Watching',
        run: async (report, signal) => {
          const release = await prepare(input, report);
          report.note(
            `${folder} is looked at every ${seconds(input.poll)}; a file has arrived when it is the same for ${seconds(input.settle)}`,
          );
          deliveries = new Deliveries({ done, quarantine }, ports, input.patience);
          await watch(input, deliveries, report, signal).finally(release);
          const { tally } = deliveries;
          return {
            summary: `${countText(tally.done, 'delivery')} done, ${String(tally.quarantined)} in quarantine`,
            changed: tally.done + tally.quarantined,
          };
        },
      },
    ],
    result: () => {
      if (deliveries === undefined) throw new DeliverError('E_BUG', { what: 'The steps of watch ran out of order.' });
      return { folder, ...deliveries.tally, waiting: deliveries.waiting };
    },
  };
}

async function watch(input: WatchInput, deliveries: Deliveries, report: Report, signal: AbortSignal): Promise<void> {
  const settling = new Settling(input.settle);
  const except = [input.done, input.quarantine];
  const quietFor = (paths: readonly string[]): number => settling.quietFor(paths, performance.now());
  let lost = '';
  let quiet = 0;
  while (!signal.aborted) {
    const inbox = await scanInbox(input.folder, except).catch((error: unknown) => {
      if (input.once) throw error;
      return messageOf(error);
    });
    // A share that goes away for a while is no reason to end, unless it was to be one look; it is told once.
    if (typeof inbox === 'string') {
      if (inbox !== lost) report.note(`The inbox can’t be looked at: ${inbox}; trying again`);
      lost = inbox;
    } else {
      lost = '';
      const settled = settling.update(inbox.files, performance.now());
      const took = await deliveries.takeOne(inbox, { settled, quietFor }, report, signal);
      if (took) continue;
      // Twice, because a file may have changed while it was verified.
      quiet = isQuiet(inbox, settled) ? quiet + 1 : 0;
      if (input.once && quiet > 1) return;
    }
    await sleep(input.poll, undefined, { signal }).catch(() => undefined);
  }
}

function isQuiet({ files }: Inbox, settled: ReadonlySet<string>): boolean {
  return [...files.keys()].every((path) => settled.has(path));
}

/**
 * Makes the folders, keeps other watches away, and ends what a kill left half done.
 * @returns what lets others in
 * @throws DeliverError E_FILE_NOT_FOUND, E_OUTPUT
 */
async function prepare({ folder, done, quarantine }: WatchInput, report: Report): Promise<() => Promise<void>> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    throw new DeliverError('E_FILE_NOT_FOUND', {
      what: `${folder} is no folder.`,
      fix: 'Give the folder in which the gateway puts what arrives.',
    });
  }
  const places = [done, quarantine];
  await access(folder, constants.W_OK).catch(cannotTake(folder));
  for (const place of places) await mkdir(place, { recursive: true }).catch(cannotWrite(place));
  const release = await lockFolders([folder, ...places]).catch(cannotWrite(folder));
  try {
    for (const place of [folder, ...places]) {
      const arrived = await endMoves(place);
      if (arrived.length > 0) report.note(`Ended an interrupted move to ${place}: ${arrived.join(', ')}`);
    }
    for (const place of places) {
      const back = await takeBack(place, folder);
      if (back.length > 0) report.note(`Taken back from an interrupted move to ${place}: ${back.join(', ')}`);
    }
    return release;
  } catch (error) {
    await release();
    return cannotWrite(folder)(error);
  }
}

/** A delivery is moved out of the inbox; from a medium that is read-only nothing can be. */
function cannotTake(folder: string): (error: unknown) => never {
  return (error) => {
    throw outputError(folder, error).with({
      fix: `Watch a folder that can be written; what lies on a read-only medium needs none: deliver verify BUNDLE`,
      state: 'Nothing was moved.',
    });
  };
}

function cannotWrite(path: string): (error: unknown) => never {
  return (error) => {
    throw outputError(path, error);
  };
}

function seconds(milliseconds: number): string {
  return `${String(milliseconds / 1000)} s`;
}
