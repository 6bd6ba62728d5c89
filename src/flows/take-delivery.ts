import { dirname, join } from 'node:path';
import { bytesText, countText } from '../core/amounts.ts';
import { ERROR_CLASS } from '../core/error-codes.ts';
import { DeliverError, isDeliverError, messageOf } from '../core/errors.ts';
import type { Flow, LanedFlow, Report, Step } from '../core/report.ts';
import { runSteps } from '../core/run-steps.ts';
import { forget, putAside, putAway, type Parcel } from '../inbox/put-away.ts';
import { lookAt, type Found } from '../inbox/scan.ts';
import type { Look } from '../inbox/settling.ts';
import { setState } from '../inbox/whole-set.ts';
import { inboxReport, type InboxFacts } from './inbox-report.ts';
import type { InstallResult } from './plan/types.ts';
import type { RepairResult } from './repair.ts';
import type { VerifyResult } from './verify.ts';

export interface DeliveryPorts {
  verify(path: string): Promise<Flow<VerifyResult>>;
  /** Mends a carry set in its place. */
  repair(path: string): Flow<RepairResult>;
  /** Absent when deliveries are only verified. */
  install?(path: string): Promise<LanedFlow<InstallResult>>;
}

export interface Places {
  readonly done: string;
  readonly quarantine: string;
}

/** Which files have settled, and for how long nothing changed in some of them. */
export interface Arrived {
  readonly settled: ReadonlySet<string>;
  readonly quietFor: (paths: readonly string[]) => number;
}

/** Why a delivery stays in the inbox. */
export interface Stay {
  readonly why: string;
  /** Milliseconds after which it is looked at again though nothing changed; the queue decides when absent. */
  readonly again?: number;
}

/** What became of one: it was moved away, it stays, or somebody asked to stop. */
export type Taken = 'done' | 'quarantined' | 'stopped' | Stay;

const CHANGED = { why: 'changed while it was read; looked at again when it has settled' };

/** One delivery on its way from the inbox to where it belongs. */
export class Delivery {
  readonly #found: Found;
  readonly #to: Places;
  readonly #ports: DeliveryPorts;
  readonly #report: Report;
  readonly #notes: string[] = [];
  readonly #collect: Report;
  #parcel: Parcel;
  #looks: ReadonlyMap<string, Look> = new Map();
  #verified: VerifyResult | undefined;
  #mended: RepairResult | undefined;

  constructor(found: Found, to: Places, ports: DeliveryPorts, report: Report) {
    this.#found = found;
    this.#to = to;
    this.#ports = ports;
    this.#report = report;
    this.#collect = {
      progress: (progress) => {
        report.progress(progress);
      },
      note: (line) => this.#notes.push(line),
    };
    this.#parcel = { ...parcelNames(found), paths: [found.path], together: false };
  }

  /** @param patience milliseconds without a change after which a set is mended, or asked for, though volumes of it are missing */
  async take(arrived: Arrived, patience: number, unchanged: (looks: string) => boolean, signal: AbortSignal): Promise<Taken> {
    const { name } = this.#found;
    try {
      const stay = await this.#gather(arrived, patience);
      if (stay !== undefined) return stay;
      // What was found damaged beyond mending is not read again until something of it has changed.
      if (unchanged(this.looks)) return { why: '', again: Infinity };
      this.#report.note(`${name}: verifying`);
      await this.#verify(signal);
      if (await this.#hasChanged()) return CHANGED;
      const installed = await this.#install(signal);
      const outcome = installed === undefined ? 'verified' : 'installed';
      const to = await this.#putAway(this.#to.done, { outcome, verified: this.#verified, installed });
      this.#report.note(`${name}: ${outcome}, ${this.#content()} → ${to}`);
      return 'done';
    } catch (error) {
      if (signal.aborted) return 'stopped';
      if (await this.#hasChanged()) return CHANGED;
      // What is whole and trusted is not at fault when an install fails; the next try may go better.
      if (this.#verified !== undefined || !isRefusal(error)) return { why: lineOf(error) };
      return this.#refuse(isDeliverError(error) ? error : new DeliverError('E_BUG', { what: messageOf(error) }));
    }
  }

  /** What its files look like, to know whether anything came or changed since. */
  get looks(): string {
    return JSON.stringify([...this.#looks]);
  }

  /** Finds the files of a carry set. @returns why it is too early to look at them */
  async #gather({ settled, quietFor }: Arrived, patience: number): Promise<Stay | undefined> {
    const { kind, path } = this.#found;
    if (kind === 'bundle') {
      this.#looks = await looksOf([path]);
      return undefined;
    }
    const missing = (await this.#listSet()).slice(0, 20).join(', ');
    const paths = [...this.#looks.keys()];
    if (!paths.every((file) => settled.has(file))) return { why: 'waiting until its files no longer change', again: 0 };
    const left = patience - quietFor(paths);
    if (missing !== '' && left > 0) return { why: `waiting for ${missing}`, again: left };
    if (missing !== '') this.#collect.note(`Not waited for any longer: ${missing}`);
    return undefined;
  }

  /** Damage that parity or patches can mend is mended in place, then all of it is verified again. */
  async #verify(signal: AbortSignal): Promise<void> {
    const { path, name } = this.#found;
    const verify = async (): Promise<VerifyResult> => runInside(await this.#ports.verify(path), this.#collect, signal);
    try {
      this.#verified = await verify();
    } catch (error) {
      if (!isDeliverError(error, 'E_CARRY_DAMAGED') || (await this.#hasChanged())) throw error;
      const mended = await this.#repair(signal);
      this.#report.note(`${name}: ${String(mended.leaves)} MiB mended in ${countText(mended.files.length, 'file')}`);
      this.#mended = mended;
      await this.#listSet();
      this.#verified = await verify();
    }
  }

  async #repair(signal: AbortSignal): Promise<RepairResult> {
    try {
      return await runInside(this.#ports.repair(this.#found.path), this.#collect, signal);
    } catch (error) {
      // It refuses before it writes; after any other failure it may be ours that changed the files.
      if (!isDeliverError(error, 'E_CARRY_DAMAGED')) this.#looks = new Map();
      throw error;
    }
  }

  /** @returns names of volumes that are missing */
  async #listSet(): Promise<readonly string[]> {
    const { kind, path } = this.#found;
    const state = await setState(path);
    const folder = kind === 'folder' ? path : dirname(path);
    const paths = state.files.map((name) => join(folder, name));
    if (kind === 'set') this.#parcel = { stem: state.name, ending: '.carry', paths, together: true };
    this.#looks = await looksOf(paths);
    return state.missing;
  }

  async #install(signal: AbortSignal): Promise<InstallResult | undefined> {
    const flow = await this.#ports.install?.(this.#found.path);
    if (flow === undefined) return undefined;
    this.#collect.note(`installing ${this.#found.name}`);
    return runInside(flow, this.#collect, signal);
  }

  async #refuse(error: DeliverError): Promise<Taken> {
    const { name } = this.#found;
    const facts = { verified: undefined, error };
    try {
      if (error.code === 'E_CARRY_DAMAGED') {
        await putAside(this.#parcel, this.#to.quarantine, inboxReport(this.#facts(this.#found.path, 'waiting', facts)));
        return { why: `${error.facts.what} ${askedFor(error)}`, again: Infinity };
      }
      const to = await this.#putAway(this.#to.quarantine, { outcome: 'refused', ...facts });
      this.#report.note(`${name}: refused, ${lineOf(error)} → ${to}`);
      return 'quarantined';
    } catch (failure) {
      return { why: `${lineOf(error)}; it can’t be put away: ${lineOf(failure)}` };
    }
  }

  async #putAway(folder: string, facts: Omit<InboxFacts, 'path' | 'notes' | 'mended'>): Promise<string> {
    const { outcome } = facts;
    const to = await putAway(this.#parcel, folder, (path) => inboxReport(this.#facts(path, outcome, facts)));
    await forget(this.#parcel, this.#to.quarantine);
    return to;
  }

  #facts(
    path: string,
    outcome: InboxFacts['outcome'],
    facts: Omit<InboxFacts, 'path' | 'notes' | 'outcome' | 'mended'>,
  ): InboxFacts {
    return { ...facts, path, outcome, mended: this.#mended, notes: this.#notes };
  }

  #content(): string {
    const { release = '', version = '', size = 0 } = this.#verified ?? {};
    return `${release} ${version}, ${bytesText(size)}`;
  }

  async #hasChanged(): Promise<boolean> {
    for (const [path, { size, mtimeMs }] of this.#looks) {
      const now = await lookAt(path);
      if (now?.size !== size || now.mtimeMs !== mtimeMs) return true;
    }
    return false;
  }
}

/** Bytes or trust are at fault, or it broke deliver: it is put away. Anything else may be better the next time. */
function isRefusal(error: unknown): boolean {
  return isDeliverError(error) ? ERROR_CLASS[error.code] === 'integrity' : true;
}

/** How to get what is missing, on one line; mending it afterwards is done here. */
function askedFor({ facts: { fix = '' } }: DeliverError): string {
  return `${fix.split('\nPut it')[0]?.replace(/\s*\n\s*/g, ' ') ?? ''}; it is taken in when it has arrived`;
}

async function runInside<Result>(flow: LanedFlow<Result>, report: Report, signal: AbortSignal): Promise<Result> {
  const run = async (step: Step): Promise<void> => {
    const { summary } = await step.run(report, signal);
    report.note(`${step.title}: ${summary}`);
  };
  return runSteps(flow, run, signal);
}

function parcelNames({ kind, name }: Found): { readonly stem: string; readonly ending: string } {
  const ending = kind === 'bundle' ? name.slice(-4) : '';
  return { stem: name.slice(0, name.length - ending.length), ending };
}

async function looksOf(paths: readonly string[]): Promise<ReadonlyMap<string, Look>> {
  const looks = new Map<string, Look>();
  for (const path of paths) looks.set(path, (await lookAt(path)) ?? { size: -1, mtimeMs: 0 });
  return looks;
}

function lineOf(error: unknown): string {
  if (!isDeliverError(error)) return messageOf(error);
  const { what, why } = error.facts;
  return `${error.code} ${what}${why === undefined ? '' : ` ${why.split('\n')[0] ?? ''}`}`;
}
