import { describe, expect, it } from 'vitest';
import { progressBar, progressText } from '../../../src/cli/progress-line.ts';
import { ProgressMeter } from '../../../src/cli/progress-meter.ts';
import { NO_STYLE } from '../../../src/cli/style.ts';

const bytes = (done: number, total = 1000): { done: number; total: number; unit: 'bytes' } => ({ done, total, unit: 'bytes' });

describe('the meter', () => {
  it('knows no rate before half a second', () => {
    const meter = new ProgressMeter();
    meter.update(bytes(0), 0);
    expect(meter.update(bytes(100), 400)).toEqual({ fraction: 0.1 });
  });

  it('gives rate and time left of steady work', () => {
    const meter = new ProgressMeter();
    meter.update(bytes(0), 0);
    expect(meter.update(bytes(200), 2000)).toEqual({ fraction: 0.2, rate: 100, left: 8000 });
  });

  it('forgets what was longer than ten seconds ago', () => {
    const meter = new ProgressMeter();
    for (let second = 0; second <= 10; second++) meter.update(bytes(0), second * 1000);
    for (let second = 11; second <= 20; second++) meter.update(bytes((second - 10) * 50), second * 1000);
    expect(meter.update(bytes(550), 21_000).rate).toBeCloseTo(50);
  });

  it('starts anew when an attempt starts again', () => {
    const meter = new ProgressMeter();
    meter.update(bytes(0), 0);
    meter.update(bytes(900), 2000);
    expect(meter.update(bytes(100), 2100)).toEqual({ fraction: 0.1 });
  });

  it('gives no time left while nothing moves', () => {
    const meter = new ProgressMeter();
    meter.update(bytes(10), 0);
    expect(meter.update(bytes(10), 5000)).toEqual({ fraction: 0.01, rate: 0 });
  });

  it('keeps few samples however often it is told', () => {
    const meter = new ProgressMeter();
    for (let at = 0; at < 10_000; at++) meter.update(bytes(at, 10_000), at);
    expect(meter.update(bytes(10_000, 10_000), 10_000).rate).toBeCloseTo(1000, -1);
  });

  it('calls work without content done', () => {
    expect(new ProgressMeter().update(bytes(0, 0), 0).fraction).toBe(1);
  });
});

describe('the line', () => {
  const progress = { done: 3.1e9, total: 4.4e9, unit: 'bytes' as const };
  const reading = { fraction: 3.1 / 4.4, rate: 2.12e8, left: 5900 };

  it('tells bytes, rate and time left', () => {
    expect(progressText(progress, reading)).toBe('3.1 of 4.4 GB · 212 MB/s · 6 s left');
    expect(progressText({ done: 1, total: 2, unit: 'items' }, { fraction: 0.5 })).toBe('1 of 2');
  });

  it('draws a bar where there is room and leaves it out where not', () => {
    expect(progressBar(progress, reading, 68, NO_STYLE)).toBe('███████████████░░░░░░░  3.1 of 4.4 GB · 212 MB/s · 6 s left');
    expect(progressBar(progress, reading, 40, NO_STYLE)).toBe('3.1 of 4.4 GB · 212 MB/s · 6 s left');
  });
});
