import { basename, dirname, join } from 'node:path';
import { bytesText } from '../core/amounts.ts';
import { ERROR_CLASS } from '../core/error-codes.ts';
import { DeliverError, isDeliverError, messageOf } from '../core/errors.ts';
import type { Flow, Report } from '../core/report.ts';
import { putAway, type Parcel } from '../inbox/put-away.ts';
import { lookAt, type Found, type Inbox } from '../inbox/scan.ts';
import type { Look } from '../inbox/settling.ts';
import { setState } from '../inbox/whole-set.ts';
import type { InstallResult } from './plan-types.ts';
import { inboxReport } from './inbox-report.ts';
import type { VerifyResult } from './verify.ts';

export interface DeliveryPorts {
  verify(path: string): Promise<Flow<VerifyResult>>;
  /** Absent when deliveries are only verified. */
  install?(path: string): Promise<Flow<InstallResult>>;
}

/** What could not be dealt with now is looked at again after this long; each time twice as long. Milliseconds. */
const FIRST_WAIT = 30_000;
const LONGEST_WAIT = 30 * 60_000;

const STOPPED = 'stopped';

interface Postponed {
  readonly looks: string;
  readonly why: string;
  readonly wait: number;
  readonly until: number;
}

/** Deals with what has settled in an inbox, one delivery at a time. */
export class Deliveries {
  readonly tally = { done: 0, quarantined: 0 };
  readonly #to: { readonly done: string; readonly quarantine: string };
  readonly #ports: DeliveryPorts;
  #postponed = new Map<string, Postponed>();

  constructor(to: { readonly done: string; readonly quarantine: string }, ports: DeliveryPorts) {
    this.#to = to;
    this.#ports = ports;
  }

  /** What lies in the inbox and why. */
  get waiting(): readonly string[] {
    return [...this.#postponed].map(([path, { why }]) => `${basename(path)}: ${why}`);
  }

  /** @returns true when something was moved away, so that the inbox has to be looked at again */
  async takeOne({ found, files }: Inbox, settled: ReadonlySet<string>, report: Report, signal: AbortSignal): Promise<boolean> {
    const there = new Set(found.map(({ path }) => path));
    for (const path of this.#postponed.keys()) if (!there.has(path)) this.#postponed.delete(path);
    for (const one of found) {
      if (signal.aborted) return false;
      const own = filesOf(one, files);
      const looks = JSON.stringify(own);
      const before = this.#postponed.get(one.path);
      if (before?.looks === looks && performance.now() < before.until) continue;
      // Which files beside a manifest are of its set is known only when it is read.
      if (one.kind === 'set' ? !settled.has(one.path) : !own.every(([path]) => settled.has(path))) continue;
      const wait = await this.#take(one, settled, report, signal);
      if (wait === undefined) return true;
      if (wait === STOPPED) return false;
      this.#postpone(one, looks, wait, before, report);
    }
    return false;
  }

  #postpone({ path, name }: Found, looks: string, why: string, before: Postponed | undefined, report: Report): void {
    const same = before?.looks === looks;
    const wait = same ? Math.min(before.wait * 2, LONGEST_WAIT) : FIRST_WAIT;
    if (before?.why !== why) report.note(`${name}: ${why}`);
    this.#postponed.set(path, { looks, why, wait, until: performance.now() + wait });
  }

  /** @returns why it stays, or undefined when it was moved away */
  async #take(found: Found, settled: ReadonlySet<string>, report: Report, signal: AbortSignal): Promise<string | undefined> {
    const notes: string[] = [];
    const collect: Report = {
      progress: (progress) => {
        report.progress(progress);
      },
      note: (line) => notes.push(line),
    };
    let parcel: Parcel = { ...parcelNames(found), paths: [found.path], together: false };
    let verified: VerifyResult | undefined;
    let looks: ReadonlyMap<string, Look> = new Map();
    try {
      if (found.kind !== 'bundle') {
        const state = await setState(found.path);
        if (state.missing.length > 0) return `waiting for ${state.missing.slice(0, 20).join(', ')}`;
        const folder = found.kind === 'folder' ? found.path : dirname(found.path);
        const paths = state.files.map((name) => join(folder, name));
        if (!paths.every((path) => settled.has(path))) return 'waiting until its files no longer change';
        if (found.kind === 'set') parcel = { stem: state.name, ending: '.carry', paths, together: true };
        looks = await looksOf(paths);
      } else looks = await looksOf([found.path]);
      report.note(`${found.name}: verifying`);
      verified = await runInside(await this.#ports.verify(found.path), collect, signal);
      if (await hasChanged(looks)) return 'changed while it was read; looked at again when it has settled';
      const installed = await this.#install(found, collect, signal);
      const outcome = installed === undefined ? 'verified' : 'installed';
      const to = await putAway(parcel, this.#to.done, (path) => inboxReport({ path, outcome, verified, installed, notes }));
      this.tally.done += 1;
      const { release, version, size } = verified;
      report.note(`${found.name}: ${outcome}, ${release} ${version}, ${bytesText(size)} → ${to}`);
      return undefined;
    } catch (error) {
      if (signal.aborted) return STOPPED;
      if (await hasChanged(looks)) return 'changed while it was read; looked at again when it has settled';
      // What is whole and trusted is not at fault when an install fails; the next try may go better.
      if (verified !== undefined || !isRefusal(error)) return lineOf(error);
      return this.#refuse(found, parcel, { error, notes }, report);
    }
  }

  async #refuse(
    { name }: Found,
    parcel: Parcel,
    { error, notes }: { readonly error: unknown; readonly notes: readonly string[] },
    report: Report,
  ): Promise<string | undefined> {
    const known = isDeliverError(error) ? error : new DeliverError('E_BUG', { what: messageOf(error) });
    try {
      const facts = { outcome: 'refused' as const, verified: undefined, error: known, notes };
      const to = await putAway(parcel, this.#to.quarantine, (path) => inboxReport({ path, ...facts }));
      this.tally.quarantined += 1;
      report.note(`${name}: refused, ${lineOf(known)} → ${to}`);
      return undefined;
    } catch (failure) {
      return `${lineOf(known)}; it can’t be put away: ${lineOf(failure)}`;
    }
  }

  async #install({ path, name }: Found, report: Report, signal: AbortSignal): Promise<InstallResult | undefined> {
    const flow = await this.#ports.install?.(path);
    if (flow === undefined) return undefined;
    report.note(`installing ${name}`);
    return runInside(flow, report, signal);
  }
}

/** Bytes or trust are at fault, or it broke deliver: it is put away. Anything else may be better the next time. */
function isRefusal(error: unknown): boolean {
  return isDeliverError(error) ? ERROR_CLASS[error.code] === 'integrity' : true;
}

async function runInside<Result>(flow: Flow<Result>, report: Report, signal: AbortSignal): Promise<Result> {
  for (const step of flow.steps) {
    signal.throwIfAborted();
    const { summary } = await step.run(report, signal);
    report.note(`${step.title}: ${summary}`);
  }
  return flow.result();
}

function parcelNames({ kind, name }: Found): { readonly stem: string; readonly ending: string } {
  const ending = kind === 'bundle' ? name.slice(-4) : '';
  return { stem: name.slice(0, name.length - ending.length), ending };
}

function filesOf({ kind, path }: Found, files: ReadonlyMap<string, Look>): readonly (readonly [string, Look])[] {
  if (kind === 'bundle') return [...files].filter(([file]) => file === path);
  const folder = kind === 'folder' ? path : dirname(path);
  return [...files].filter(([file]) => dirname(file) === folder);
}

async function looksOf(paths: readonly string[]): Promise<ReadonlyMap<string, Look>> {
  const looks = new Map<string, Look>();
  for (const path of paths) looks.set(path, (await lookAt(path)) ?? { size: -1, mtimeMs: 0 });
  return looks;
}

async function hasChanged(looks: ReadonlyMap<string, Look>): Promise<boolean> {
  for (const [path, { size, mtimeMs }] of looks) {
    const now = await lookAt(path);
    if (now?.size !== size || now.mtimeMs !== mtimeMs) return true;
  }
  return false;
}

function lineOf(error: unknown): string {
  if (!isDeliverError(error)) return messageOf(error);
  const { what, why } = error.facts;
  return `${error.code} ${what}${why === undefined ? '' : ` ${why.split('\n')[0] ?? ''}`}`;
}
