import { expect, it } from 'vitest';
import { runFlow } from '../../../src/cli/run-flow.ts';
import type { Flow, Step } from '../../../src/core/report.ts';
import { DeliverError } from '../../../src/core/errors.ts';
import { recorder } from '../../support/recorder.ts';

function flowOf(...steps: readonly [string, Step['run']][]): Flow<string> {
  return { steps: steps.map(([id, run]) => ({ id, title: id, run })), result: () => 'the result' };
}

const ok = async (): Promise<{ summary: string }> => ({ summary: 'ok' });

it('runs the steps in their order and gives the result', async () => {
  const output = recorder();
  expect(await runFlow(flowOf(['one', ok], ['two', ok]), { output }, new AbortController().signal)).toBe('the result');
  expect(output.lines).toEqual(['… one', '✔ one  ok', '… two', '✔ two  ok']);
});

it('stops at the first step that fails, with its error', async () => {
  const output = recorder();
  const broken = async (): Promise<never> => {
    throw new DeliverError('E_SSH', { what: 'no route' });
  };
  const signal = new AbortController().signal;
  await expect(runFlow(flowOf(['one', broken], ['two', ok]), { output }, signal)).rejects.toThrowWithCode('E_SSH');
  expect(output.lines).toEqual(['… one', '✖ one  failed']);
});

it('tells an interruption as such, whatever the step threw', async () => {
  const output = recorder();
  const controller = new AbortController();
  const step: Step['run'] = async (_report, signal) => {
    controller.abort();
    signal.throwIfAborted();
    return { summary: '' };
  };
  await expect(runFlow(flowOf(['one', step], ['two', ok]), { output }, controller.signal)).rejects.toThrowWithCode(
    'E_INTERRUPTED',
    'goes on',
  );
  expect(output.lines.at(-1)).toBe('✖ one  stopped');
});

it('starts no step after an interruption that came between two', async () => {
  const output = recorder();
  const controller = new AbortController();
  const step = async (): Promise<{ summary: string }> => {
    controller.abort();
    return { summary: 'done' };
  };
  await expect(runFlow(flowOf(['one', step], ['two', ok]), { output }, controller.signal)).rejects.toThrowWithCode(
    'E_INTERRUPTED',
  );
  expect(output.lines).not.toContain('… two');
});

it('shows steps of two lanes as they begin and end, and says once that it is stopping', async () => {
  const output = recorder();
  const controller = new AbortController();
  const begun = Promise.withResolvers<undefined>();
  const one: Step = {
    id: 'one',
    title: 'one',
    run: async () => {
      await begun.promise;
      return { summary: 'ok' };
    },
  };
  const two: Step = {
    id: 'two',
    title: 'two',
    run: async (_report, signal) => {
      controller.abort();
      begun.resolve(undefined);
      signal.throwIfAborted();
      return { summary: '' };
    },
  };
  const flow = { steps: [{ lanes: [[one], [two]] }], result: () => 'x' };
  await expect(runFlow(flow, { output }, controller.signal)).rejects.toThrowWithCode('E_INTERRUPTED', 'goes on');
  expect(output.lines.toSorted()).toEqual(
    ['… one', '… two', expect.stringContaining('Ctrl-C'), '✔ one  ok', '✖ two  stopped'].toSorted(),
  );
});
