import { randomBytes } from 'node:crypto';
import pLimit from 'p-limit';
import { DeliverError, isDeliverError, messageOf } from '../../core/errors.ts';
import type { Report } from '../../core/report.ts';
import type { Digest } from '../../core/digest.ts';
import type { HostConnection, HostConnector, UploadSource } from '../../ssh/port.ts';
import { lookScript } from './look.ts';
import { changesOf, planHost, type HostPlan, type PlannedComponent } from './plan.ts';
import { shellQuote } from '../../ssh/shell-quote.ts';
import { placeScript } from './place.ts';
import { lastLine, readPlaced } from './placed.ts';
import { journalPath, recordPath, recordText } from './record.ts';
import { RUN_INPUT } from './shell.ts';
import { incomingPath, stageScript } from './stage.ts';
import { parseState } from './state.ts';
import type { HostWish } from './wish.ts';

/** Hosts at a time: each is one SSH connection, and what they get is read once from the bundle for each. */
const AT_ONCE = 10;
/** Of one host: while one is hashed there, the line has another. */
const BLOBS_AT_ONCE = 3;
const LOOK_TIMEOUT = 60_000;
/** Unpacking and starting on a slow disk. */
const PLACE_TIMEOUT = 600_000;

/** Where the content of components comes from: `Bundle` is one. */
export interface BlobPlaces {
  range(digest: Digest, start: number, length: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** What became of one host. */
export interface HostOutcome {
  readonly host: string;
  readonly state: 'unchanged' | 'changed' | 'failed' | 'refused';
  /** What is other than before. */
  readonly changes: readonly string[];
  /** `restart containerd.service` */
  readonly ran: readonly string[];
  readonly notes: readonly string[];
  readonly error?: DeliverError;
}

export type HostLook =
  { readonly host: string; readonly plan: HostPlan } | { readonly host: string; readonly error: DeliverError };

/**
 * Looks at every host and says what is to be done there; one that can't be asked is an outcome, not an error.
 * @throws DeliverError E_INTERRUPTED, E_BUG only
 */
export async function planHosts(connector: HostConnector, wishes: readonly HostWish[], signal: AbortSignal): Promise<HostLook[]> {
  return eachHost(wishes, signal, async (wish) => {
    const host = wish.host;
    try {
      return { host, plan: await lookAt(await connector.connect(host, signal), wish, signal) };
    } catch (error) {
      return { host, error: asHostError(host, error) };
    }
  });
}

/**
 * Does what the plans say, host by host in parallel; a host that fails stops nothing but itself.
 * @throws DeliverError E_INTERRUPTED, E_BUG only
 */
export async function applyHosts(
  connector: HostConnector,
  looks: readonly HostLook[],
  blobs: BlobPlaces,
  report: Report,
  signal: AbortSignal,
): Promise<HostOutcome[]> {
  const total = looks.reduce((sum, look) => sum + ('plan' in look ? bytesOf(look.plan) : 0), 0);
  let sent = 0;
  return eachHost(looks, signal, async (look) => {
    if ('error' in look) return { ...NOTHING, host: look.host, state: 'failed', error: look.error };
    const { plan } = look;
    const { host, notes } = plan;
    if (plan.refused !== undefined) return { ...NOTHING, host, notes, state: 'refused', error: plan.refused };
    if (changesOf(plan) === 0) return { ...NOTHING, host, notes, state: 'unchanged' };
    try {
      const connection = await connector.connect(host, signal);
      const run = randomBytes(4).toString('hex');
      await send(connection, plan, run, blobs, signal, (count) => {
        sent += count;
        report.progress({ done: sent, total, unit: 'bytes', detail: host });
      });
      return await place(connection, plan, run, signal);
    } catch (error) {
      return { ...NOTHING, host, notes, state: 'failed', error: asHostError(host, error) };
    }
  });
}

const NOTHING = { changes: [], ran: [], notes: [] } as const;

/** One round trip. */
export async function lookAt(connection: HostConnection, wish: HostWish, signal?: AbortSignal): Promise<HostPlan> {
  const stop = signal === undefined ? {} : { signal };
  const ran = await connection.run(RUN_INPUT, { stdin: lookScript(wish), sudo: true, timeout: LOOK_TIMEOUT, ...stop });
  if (ran.code === 0 && ran.stdout.includes('\nlooked=yes')) return planHost(wish, parseState(connection.host.name, ran.stdout));
  const busy = /^fail=(.*)$/m.exec(ran.stdout)?.[1];
  if (busy !== undefined)
    throw new DeliverError('E_HOST', {
      what: `${connection.host.name} could not be looked at.`,
      why: busy,
      fix: 'Wait until it is done there, also when that deliver was killed; then run the same command again.',
      state: 'Nothing was changed on that host.',
    });
  throw new DeliverError('E_HOST', {
    what: `${connection.host.name} could not be looked at.`,
    why: lastLine(ran.stderr) ?? `the shell there ended with ${String(ran.code)}`,
    fix: 'The login there needs a POSIX shell (chsh -s /bin/sh), with coreutils and awk.',
    state: 'Nothing was changed on that host.',
  });
}

/** Archives first, the largest before all: each is unpacked there while the others are still on their way. */
async function send(
  connection: HostConnection,
  { components, wish }: HostPlan,
  run: string,
  blobs: BlobPlaces,
  signal: AbortSignal,
  onBytes: (count: number) => void,
): Promise<void> {
  const line = pLimit(BLOBS_AT_ONCE);
  const isArchive = ({ layout }: PlannedComponent): number => (layout.kind === 'archive' ? 1 : 0);
  const ordered = components.toSorted((a, b) => isArchive(b) - isArchive(a) || b.blob.size - a.blob.size);
  const failures: unknown[] = [];
  const bring = async (component: PlannedComponent): Promise<void> => {
    const { blob, layout } = component;
    const { digest, size } = blob;
    const source: UploadSource = { digest, size, open: (from, stop) => blobs.range(digest, from, size - from, stop) };
    await line(async () => {
      if (failures.length === 0) await connection.upload(incomingPath(component, wish), source, { mode: 0o600, signal, onBytes });
    });
    if (layout.kind !== 'archive' || failures.length > 0) return;
    // What can't be unpacked now is told when all is placed.
    const stdin = stageScript(component, layout, wish, run);
    await connection.run(RUN_INPUT, { stdin, sudo: true, timeout: PLACE_TIMEOUT, signal });
  };
  await Promise.all(ordered.map((component) => bring(component).catch((error: unknown) => failures.push(error))));
  if (failures.length > 0) throw failures[0];
}

async function place(connection: HostConnection, plan: HostPlan, run: string, signal: AbortSignal): Promise<HostOutcome> {
  const { host } = plan;
  const before = plan.state.record;
  const ran = await connection.run(RUN_INPUT, { stdin: placeScript(plan, run), sudo: true, timeout: PLACE_TIMEOUT, signal });
  const placed = readPlaced(host, before, ran);
  const text = recordText(placed.record);
  const { stateFolder } = plan.wish;
  // Also when nothing changed: what a run that was cut off left in the journal is in `before` already.
  if (text !== recordText(before) || plan.state.corrupt || plan.state.journal)
    await connection.writeFile(recordPath(stateFolder), text, 0o600);
  // Only once the record holds it; a script that we no longer hear may still be writing there.
  if (ran.code === 0) await connection.run(`rm -f -- ${shellQuote(journalPath(stateFolder))}`, { sudo: true, signal });
  return {
    host,
    state: placed.failed !== undefined ? 'failed' : placed.changed.length + placed.ran.length === 0 ? 'unchanged' : 'changed',
    changes: placed.changed,
    ran: placed.ran,
    notes: [...plan.notes, ...placed.notes],
    ...(placed.failed === undefined ? {} : { error: placed.failed }),
  };
}

function bytesOf({ components }: HostPlan): number {
  return components.reduce((sum, { blob }) => sum + blob.size, 0);
}

async function eachHost<Item, Result>(
  items: readonly Item[],
  signal: AbortSignal,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const limit = pLimit(AT_ONCE);
  const settled = await Promise.allSettled(
    items.map((item) =>
      limit(async () => {
        if (signal.aborted) throw new DeliverError('E_INTERRUPTED', { what: 'Interrupted while hosts were prepared.' });
        return work(item);
      }),
    ),
  );
  return settled.map((one) => {
    if (one.status === 'fulfilled') return one.value;
    throw one.reason;
  });
}

/** What stops one host only; an interrupt or a bug of ours stops all. */
function asHostError(host: string, error: unknown): DeliverError {
  if (isDeliverError(error, 'E_INTERRUPTED', 'E_BUG')) throw error;
  if (isDeliverError(error)) return error;
  return new DeliverError('E_HOST', { what: `Preparing ${host} failed.`, why: messageOf(error), cause: error });
}
