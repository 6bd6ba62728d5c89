import { describe, expect, it } from 'vitest';
import { JsonObserver } from '../../../src/cli/json-observer.ts';
import { PlainObserver } from '../../../src/cli/plain-observer.ts';
import { DeliverError } from '../../../src/core/errors.ts';
import type { Step } from '../../../src/core/report.ts';
import { recorder } from '../../support/recorder.ts';

const step: Step = { id: 'pack', title: 'Packed', run: async () => ({ summary: '' }) };
const other: Step = { ...step, id: 'push', title: 'Registry' };
const bytes = (done: number, total = 1000): { done: number; total: number; unit: 'bytes' } => ({ done, total, unit: 'bytes' });

class Clock {
  at = 0;
  now = (): number => this.at;
}

describe('a log file', () => {
  it('gets one line per start and end, and notes below', () => {
    const output = recorder();
    const observer = new PlainObserver(output, 10);
    observer.start(step);
    observer.note(step, 'lock unchanged');
    observer.done(step, { summary: '3 images, 96 MB' }, 2100);
    expect(output.lines).toEqual([
      '… Packed',
      '    lock unchanged',
      '✔ Packed      3 images, 96 MB                                              2.1 s',
    ]);
  });

  it('gets progress every ten seconds of slow work', () => {
    const output = recorder();
    const clock = new Clock();
    const observer = new PlainObserver(output, 6, clock.now);
    observer.start(step);
    for (clock.at = 0; clock.at < 60_000; clock.at += 100) observer.progress(step, bytes(clock.at / 1000));
    expect(output.lines.filter((line) => line.includes('%'))).toHaveLength(5);
  });

  it('gets progress every tenth of fast work, never more often than every two seconds', () => {
    const output = recorder();
    const clock = new Clock();
    const observer = new PlainObserver(output, 6, clock.now);
    observer.start(step);
    for (clock.at = 0; clock.at < 10_000; clock.at += 10) observer.progress(step, bytes(clock.at / 10));
    expect(output.lines.filter((line) => line.includes('%'))).toHaveLength(4);
  });

  it('of two steps at once says whose progress and whose notes these are, each at its own pace', () => {
    const output = recorder();
    const clock = new Clock();
    const observer = new PlainObserver(output, 8, clock.now);
    observer.start(step);
    observer.note(step, 'alone');
    observer.start(other);
    observer.note(step, 'beside');
    clock.at = 9000;
    observer.progress(step, bytes(50));
    clock.at = 11_000;
    observer.progress(step, bytes(60));
    observer.progress(other, bytes(900));
    observer.done(step, { summary: 'done' }, 0);
    observer.note(other, 'still beside');
    observer.failed(other, new Error('x'), 0);
    expect(output.lines).toEqual([
      '… Packed',
      '    alone',
      '… Registry',
      '    Packed: beside',
      expect.stringMatching(/^ {2}Packed {2}6 % /),
      expect.stringMatching(/^ {2}Registry {2}90 % /),
      '✔ Packed    done',
      '    Registry: still beside',
      '✖ Registry  failed',
    ]);
  });

  it('says whether a step failed or was stopped', () => {
    const output = recorder();
    const observer = new PlainObserver(output, 6);
    observer.failed(step, new Error('x'), 100);
    observer.stopping();
    observer.failed(step, new Error('x'), 65_000);
    expect(output.lines).toEqual(['✖ Packed  failed', expect.stringContaining('Ctrl-C'), '✖ Packed  stopped after 1 min 5 s']);
  });
});

describe('a program', () => {
  const events = (use: (observer: JsonObserver, clock: Clock) => void): Record<string, unknown>[] => {
    const lines: string[] = [];
    const clock = new Clock();
    use(new JsonObserver((line) => lines.push(line), clock.now), clock);
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  };

  it('gets one object per event, each with its name, time and step', () => {
    const told = events((observer) => {
      observer.start(step);
      observer.note(step, 'a note');
      observer.done(step, { summary: 'ok', changed: 2 }, 12.4);
      observer.result({ path: 'x.tar' });
    });
    expect(told).toEqual([
      { event: 'step-start', time: expect.any(String), step: 'pack', title: 'Packed' },
      { event: 'note', time: expect.any(String), step: 'pack', line: 'a note' },
      { event: 'step-done', time: expect.any(String), step: 'pack', summary: 'ok', changed: 2, milliseconds: 12 },
      { event: 'result', time: expect.any(String), result: { path: 'x.tar' } },
    ]);
  });

  it('gets progress at most once a second, and the end of it', () => {
    const told = events((observer, clock) => {
      observer.start(step);
      for (clock.at = 0; clock.at < 3000; clock.at += 10) observer.progress(step, bytes(clock.at, 3000));
      observer.progress(step, bytes(3000, 3000));
    });
    expect(told.filter(({ event }) => event === 'progress').map(({ done }) => done)).toEqual([0, 1000, 2000, 3000]);
  });

  it('gets progress of each of two steps at once a second', () => {
    const told = events((observer, clock) => {
      observer.start(step);
      for (clock.at = 0; clock.at < 2000; clock.at += 100) {
        if (clock.at === 500) observer.start(other);
        observer.progress(step, bytes(clock.at, 9000));
        if (clock.at >= 500) observer.progress(other, bytes(clock.at, 9000));
      }
    });
    const of = (id: string) => told.filter(({ event, step: of }) => event === 'progress' && of === id).map(({ done }) => done);
    expect([of('pack'), of('push')]).toEqual([
      [0, 1000],
      [500, 1500],
    ]);
  });

  it('gets an error with code, class, exit code and all findings', () => {
    const details = Array.from({ length: 60 }, (_, index) => `finding ${index}`);
    const [told] = events((observer) => {
      observer.error(new DeliverError('E_BUNDLE_DAMAGED', { what: 'Damaged.', details, cause: new Error('inner') }));
    });
    expect(told).toEqual({
      event: 'error',
      time: expect.any(String),
      code: 'E_BUNDLE_DAMAGED',
      class: 'integrity',
      exit: 4,
      what: 'Damaged.',
      details,
    });
  });
});
