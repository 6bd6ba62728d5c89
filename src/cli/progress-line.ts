import { bytesOfText, bytesText, durationText } from '../core/amounts.ts';
import type { Progress } from '../core/report.ts';
import type { Reading } from './progress-meter.ts';
import type { Style } from './style.ts';
import { widthOf } from './text.ts';

const BAR = 22;
const SMALLEST_BAR = 8;

/** `3.1 of 4.4 GB · 212 MB/s · 6 s left` */
export function progressText(progress: Progress, reading: Reading): string {
  const bytes = progress.unit === 'bytes';
  const parts = [bytes ? bytesOfText(progress.done, progress.total) : `${progress.done} of ${progress.total}`];
  if (bytes && reading.rate !== undefined) parts.push(`${bytesText(reading.rate)}/s`);
  if (reading.left !== undefined && progress.done < progress.total) parts.push(`${leftText(reading.left)} left`);
  return parts.join(' · ');
}

/** Bar and text in `width` columns; the bar gives way first. */
export function progressBar(progress: Progress, reading: Reading, width: number, style: Style): string {
  const text = progressText(progress, reading);
  const room = Math.min(BAR, width - widthOf(text) - 2);
  if (room < SMALLEST_BAR) return text;
  const full = Math.floor(reading.fraction * room);
  return `${'█'.repeat(full)}${style.dim('░'.repeat(room - full))}  ${text}`;
}

/** Whole seconds: tenths that jump about tell nothing. */
function leftText(milliseconds: number): string {
  return milliseconds < 1000 ? '1 s' : durationText(Math.ceil(milliseconds / 1000) * 1000).replace(/\.0 s$/, ' s');
}
