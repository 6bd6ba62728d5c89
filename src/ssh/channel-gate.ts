import { setTimeout as sleep } from 'node:timers/promises';

/** SSH_MSG_CHANNEL_OPEN_FAILURE as ssh2 gives it: an error with the reason code of RFC 4254 section 5.1. */
export function isChannelRefused(cause: unknown): boolean {
  return cause instanceof Error && 'reason' in cause && typeof cause.reason === 'number';
}

/** sshd says that a command has ended a moment before it counts it no more: so often is one asked for that is alone. */
const TRIES = 8;

/** As many commands at once over one connection as its sshd allows (MaxSessions): found out by what it refuses. */
export class ChannelGate {
  #most = Infinity;
  #open = 0;
  #waiting: (() => void)[] = [];

  /** @param isRefused of what the work throws: that sshd opened no channel for it. Throws what the work throws. */
  async run<Result>(work: () => Promise<Result>, isRefused: (error: unknown) => boolean): Promise<Result> {
    for (let tries = 1; ;) {
      while (this.#open >= this.#most) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      this.#open += 1;
      try {
        return await work();
      } catch (error) {
        if (!isRefused(error)) throw error;
        if (this.#open > 1) this.#most = Math.min(this.#most, this.#open - 1);
        else if (tries === TRIES) throw error;
        else await sleep(10 * 2 ** tries++);
      } finally {
        this.#open -= 1;
        this.#waiting.splice(0).forEach((go) => {
          go();
        });
      }
    }
  }
}
