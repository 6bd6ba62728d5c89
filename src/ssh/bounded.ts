import { shellQuote } from './shell-quote.ts';

/** Seconds that the host's own limit is later than ours, so that ours is the one that is reported. */
const GRACE = 2;

/**
 * A command that also the host ends, so that one that hangs is not left there: closing the channel alone stops only what
 * writes. On a host without timeout(1) nothing ends it. `milliseconds` is our own limit.
 */
export function bounded(command: string, milliseconds: number): string {
  const seconds = String(Math.ceil(milliseconds / 1000) + GRACE);
  return `t=; if command -v timeout >/dev/null 2>&1; then t='timeout -k 5 ${seconds}'; fi; exec $t sh -c ${shellQuote(command)}`;
}
