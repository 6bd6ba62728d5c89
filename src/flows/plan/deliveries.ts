import { basename, dirname } from 'node:path';
import type { Report } from '../../core/report.ts';
import type { Found, Inbox } from '../../inbox/scan.ts';
import type { Look } from '../../inbox/settling.ts';
import { Delivery, type Arrived, type DeliveryPorts, type Places, type Stay } from '../take-delivery.ts';

/** What could not be dealt with now is looked at again after this long; each time twice as long. Milliseconds. */
const FIRST_WAIT = 30_000;
const LONGEST_WAIT = 30 * 60_000;

interface Postponed {
  readonly looks: string;
  readonly why: string;
  readonly wait: number;
  readonly until: number;
}

/** Deals with what has settled in an inbox, one delivery at a time. */
export class Deliveries {
  readonly tally = { done: 0, quarantined: 0 };
  readonly #to: Places;
  readonly #ports: DeliveryPorts;
  readonly #patience: number;
  #postponed = new Map<string, Postponed>();
  /** What the files of carry sets looked like that are damaged beyond mending. */
  #damaged = new Map<string, string>();

  /** @param patience milliseconds without a change after which missing volumes are no longer waited for */
  constructor(to: Places, ports: DeliveryPorts, patience: number) {
    this.#to = to;
    this.#ports = ports;
    this.#patience = patience;
  }

  /** What lies in the inbox and why. */
  get waiting(): readonly string[] {
    return [...this.#postponed].map(([path, { why }]) => `${basename(path)}: ${why}`);
  }

  /** @returns true when something was moved away, so that the inbox has to be looked at again */
  async takeOne({ found, files }: Inbox, arrived: Arrived, report: Report, signal: AbortSignal): Promise<boolean> {
    const there = new Set(found.map(({ path }) => path));
    for (const path of this.#postponed.keys()) if (!there.has(path)) this.#forget(path);
    for (const one of found) {
      if (signal.aborted) return false;
      const own = filesOf(one, files);
      const looks = JSON.stringify(own);
      const before = this.#postponed.get(one.path);
      if (before?.looks === looks && performance.now() < before.until) continue;
      // Which files beside a manifest are of its set is known only when it is read.
      if (one.kind === 'set' ? !arrived.settled.has(one.path) : !own.every(([path]) => arrived.settled.has(path))) continue;
      const delivery = new Delivery(one, this.#to, this.#ports, report);
      const taken = await delivery.take(arrived, this.#patience, (now) => this.#damaged.get(one.path) === now, signal);
      if (taken === 'stopped') return false;
      if (typeof taken === 'string') {
        this.tally[taken] += 1;
        this.#forget(one.path);
        return true;
      }
      this.#postpone(one, looks, taken, report);
      if (taken.again === Infinity) this.#damaged.set(one.path, delivery.looks);
    }
    return false;
  }

  #postpone({ path, name }: Found, looks: string, stay: Stay, report: Report): void {
    const before = this.#postponed.get(path);
    const why = stay.why === '' ? (before?.why ?? '') : stay.why;
    const wait = before?.looks === looks ? Math.min(before.wait * 2, LONGEST_WAIT) : FIRST_WAIT;
    if (before?.why !== why) report.note(`${name}: ${why}`);
    this.#postponed.set(path, { looks, why, wait, until: performance.now() + (stay.again ?? wait) });
  }

  #forget(path: string): void {
    this.#postponed.delete(path);
    this.#damaged.delete(path);
  }
}

function filesOf({ kind, path }: Found, files: ReadonlyMap<string, Look>): readonly (readonly [string, Look])[] {
  if (kind === 'bundle') return [...files].filter(([file]) => file === path);
  const folder = kind === 'folder' ? path : dirname(path);
  return [...files].filter(([file]) => dirname(file) === folder);
}
