import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Lanes } from '../../../src/core/lanes.ts';

/** Transfers without end through lanes whose clock is ours. */
class Traffic {
  #now = 0;
  readonly lanes = new Lanes(4, 24, () => this.#now);
  readonly stop = new AbortController();
  running = 0;

  async begin(transfers: number): Promise<void> {
    for (let started = 0; started < transfers; started++) {
      void this.lanes.take(this.stop.signal).then(
        () => (this.running += 1),
        () => undefined,
      );
    }
    await turn();
  }

  /** @param rate bytes per second of all, by how many run */
  async pass(seconds: number, rate: (running: number) => number): Promise<void> {
    for (let tick = 0; tick < seconds * 20; tick++) {
      this.#now += 50;
      this.lanes.moved(rate(this.running) / 20);
      await turn();
    }
  }
}

const slow = (running: number): number => running * 10e6;

describe('how many transfers run at once', () => {
  it('grows to the most when each is slow and more bring more', async () => {
    const traffic = new Traffic();
    await traffic.begin(60);
    expect(traffic.running).toBe(4);
    await traffic.pass(4, slow);
    expect(traffic.running).toBe(24);
  });

  it('stays where each is fast', async () => {
    const traffic = new Traffic();
    await traffic.begin(60);
    await traffic.pass(10, (running) => running * 60e6);
    expect(traffic.running).toBe(4);
  });

  it('goes back when more lanes share the same narrow way', async () => {
    const traffic = new Traffic();
    await traffic.begin(60);
    await traffic.pass(4, () => 20e6);
    expect(traffic.lanes.count).toBe(4);
  });

  it('finds the width of a way that holds some more', async () => {
    const traffic = new Traffic();
    await traffic.begin(60);
    await traffic.pass(6, (running) => Math.min(80e6, running * 10e6));
    expect(traffic.lanes.count).toBe(8);
  });

  it('says nothing of a way that is not full', async () => {
    const traffic = new Traffic();
    await traffic.begin(3);
    await traffic.pass(5, slow);
    expect(traffic.lanes.count).toBe(4);
  });

  it('lets the next in when one is done, in turn', async () => {
    const lanes = new Lanes(1, 1);
    const { signal } = new AbortController();
    const done: string[] = [];
    const run = async (name: string): Promise<void> => {
      await lanes.take(signal);
      await turn();
      done.push(name);
      lanes.free();
    };
    await Promise.all([run('a'), run('b'), run('c')]);
    expect(done).toEqual(['a', 'b', 'c']);
  });

  it('an abort ends the wait of those outside and takes no lane', async () => {
    const lanes = new Lanes(1, 1);
    const stop = new AbortController();
    await lanes.take(stop.signal);
    const waiting = lanes.take(stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    lanes.free();
    await lanes.take(new AbortController().signal);
  });
});
