import { describe, expect, it } from 'vitest';
import { DeliverError } from '../../../src/core/errors.ts';
import { SILENT, type LanedFlow, type Step, type StepLanes } from '../../../src/core/report.ts';
import { runSteps } from '../../../src/core/run-steps.ts';

/** Steps that end when the test says so, and what happened in their order. */
class Stage {
  readonly events: string[] = [];
  readonly #ends = new Map<string, PromiseWithResolvers<{ summary: string }>>();
  readonly #stop = new AbortController();

  step(id: string, run?: Step['run']): Step {
    const end = Promise.withResolvers<{ summary: string }>();
    this.#ends.set(id, end);
    return { id, title: id, run: run ?? (() => end.promise) };
  }

  end(id: string): void {
    this.#ends.get(id)?.resolve({ summary: '' });
  }

  fail(id: string, error: unknown = new DeliverError('E_SSH', { what: `${id} broke.` })): void {
    this.#ends.get(id)?.reject(error);
  }

  stop(): void {
    this.#stop.abort(new DeliverError('E_INTERRUPTED', { what: 'Stopped.' }));
  }

  run(...steps: (Step | StepLanes)[]): Promise<string> {
    const flow: LanedFlow<string> = {
      steps,
      result: () => 'the result',
      close: async () => {
        this.events.push('close');
      },
    };
    const run = async (step: Step): Promise<void> => {
      this.events.push(`${step.id} begins`);
      try {
        await step.run(SILENT, this.#stop.signal);
        this.events.push(`${step.id} ends`);
      } catch (error) {
        this.events.push(`${step.id} fails`);
        throw error;
      }
    };
    return runSteps(flow, run, this.#stop.signal);
  }

  /** Everything that can go on without the test has gone on. */
  async settled(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** before, { hosts → runtime | registry → push }, after */
function site(stage: Stage): (Step | StepLanes)[] {
  const [before, hosts, runtime, registry, push, after] = (
    ['before', 'hosts', 'runtime', 'registry', 'push', 'after'] as const
  ).map((id) => stage.step(id)) as [Step, Step, Step, Step, Step, Step];
  stage.end('before');
  return [
    before,
    {
      lanes: [
        [hosts, runtime],
        [registry, push],
      ],
    },
    after,
  ];
}

it('runs lanes side by side, the steps of each in their order, and goes on when all lanes are done', async () => {
  const stage = new Stage();
  const result = stage.run(...site(stage));
  await stage.settled();
  expect(stage.events).toEqual(['before begins', 'before ends', 'hosts begins', 'registry begins']);
  stage.end('registry');
  stage.end('push');
  await stage.settled();
  expect(stage.events.slice(4)).toEqual(['registry ends', 'push begins', 'push ends']);
  stage.end('hosts');
  await stage.settled();
  expect(stage.events.slice(7)).toEqual(['hosts ends', 'runtime begins']);
  stage.end('runtime');
  stage.end('after');
  expect(await result).toBe('the result');
  expect(stage.events.slice(9)).toEqual(['runtime ends', 'after begins', 'after ends', 'close']);
});

describe('when a step of one lane fails', () => {
  it('the other finishes the step that it is in and begins no further one; only then all is closed, once', async () => {
    const stage = new Stage();
    const result = stage.run(...site(stage));
    result.catch(() => undefined);
    stage.fail('registry');
    await stage.settled();
    expect(stage.events.slice(2)).toEqual(['hosts begins', 'registry begins', 'registry fails']);
    stage.end('hosts');
    await expect(result).rejects.toThrowWithCode('E_SSH', 'registry broke.');
    await stage.settled();
    expect(stage.events.slice(5)).toEqual(['hosts ends', 'close']);
  });

  it('and of the other as well, both errors are told, the first one first', async () => {
    const stage = new Stage();
    const result = stage.run(...site(stage));
    stage.fail(
      'hosts',
      new DeliverError('E_SSH', { what: 'w1 is gone.', why: 'No route.', fix: 'Cable.', state: 'cp1: prepared.' }),
    );
    await stage.settled();
    const more = {
      what: 'Harbor is ill.',
      why: 'core is down.',
      fix: 'Look at core.',
      state: 'Harbor is placed.',
      details: ['core'],
    };
    stage.fail('registry', new DeliverError('E_HARBOR', more));
    await expect(result).rejects.toMatchObject({
      code: 'E_SSH',
      facts: {
        what: 'w1 is gone.',
        why: 'No route.\nregistry failed as well: Harbor is ill. [E_HARBOR] core is down. Fix: Look at core.',
        fix: 'Cable.',
        state: 'hosts: cp1: prepared.\nregistry: Harbor is placed.',
        details: ['registry: core'],
      },
    });
  });

  it('and of the other for the same reason, that is told once', async () => {
    const stage = new Stage();
    const result = stage.run(...site(stage));
    for (const id of ['hosts', 'registry'])
      stage.fail(id, new DeliverError('E_DISK_FULL', { what: 'The disk is full.', state: 'It stays.' }));
    await expect(result).rejects.toMatchObject({ facts: { what: 'The disk is full.', state: 'It stays.' } });
    await expect(result).rejects.not.toHaveProperty('facts.why');
  });

  it('and somebody stops what goes on behind it, the failure is still what is told', async () => {
    const stage = new Stage();
    const result = stage.run(...site(stage));
    stage.fail('registry');
    await stage.settled();
    stage.stop();
    stage.fail('hosts', new DeliverError('E_INTERRUPTED', { what: 'Stopped.', state: 'cp1: half.' }));
    await expect(result).rejects.toMatchObject({ code: 'E_SSH', facts: { what: 'registry broke.', state: 'hosts: cp1: half.' } });
  });

  it('tells what a flow knows of the state when all has ended, not when the first failed', async () => {
    const done: string[] = [];
    const stage = new Stage();
    const slow = stage.step('slow', async () => {
      await stage.settled();
      done.push('slow');
      return { summary: '' };
    });
    const flow: LanedFlow<void> = {
      steps: [{ lanes: [[stage.step('broken', () => Promise.reject(new Error('broken')))], [slow]] }],
      result: () => undefined,
      failure: () => new Error(`done: ${done.join()}`),
    };
    const { signal } = new AbortController();
    const run = async (step: Step): Promise<void> => {
      await step.run(SILENT, signal);
    };
    await expect(runSteps(flow, run, signal)).rejects.toThrow('done: slow');
  });
});

it('stops all lanes on an interruption, tells it once, and closes last', async () => {
  const stage = new Stage();
  const result = stage.run(...site(stage));
  result.catch(() => undefined);
  await stage.settled();
  stage.stop();
  stage.end('hosts');
  stage.fail('registry', new DeliverError('E_INTERRUPTED', { what: 'Stopped.', state: '3 blobs are there.' }));
  await expect(result).rejects.toMatchObject({ code: 'E_INTERRUPTED', facts: { what: 'Stopped.' } });
  await expect(result).rejects.toHaveProperty('facts.state', 'registry: 3 blobs are there.');
  expect(stage.events.slice(2)).toEqual(['hosts begins', 'registry begins', 'hosts ends', 'registry fails', 'close']);
});
