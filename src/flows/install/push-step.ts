import { bytesText, countText } from '../../core/amounts.ts';
import { isDeliverError } from '../../core/errors.ts';
import type { Report, Step } from '../../core/report.ts';
import type { PushWriter } from '../../registry/port.ts';
import { pushContent, type PushInput, type PushResult } from '../../registry/push-content.ts';

/**
 * The registry step of push and install.
 * @param input asked for when the step runs: earlier steps make it
 * @param finished told the result
 */
export function pushStep(input: () => PushInput, finished: (result: PushResult) => void): Step {
  return {
    id: 'push',
    title: 'Registry',
    run: async (report, signal) => {
      const result = await pushed(input(), report, signal);
      finished(result);
      return { summary: pushSummary(result), changed: result.taggedImages + result.putReferrers + result.projectsMade };
    },
  };
}

/**
 * Pushes, and once more from where it stopped when the account that was made for it is refused in the middle: one that is
 * a day old has ended, and somebody may have removed it.
 */
async function pushed(input: PushInput, report: Report, signal: AbortSignal): Promise<PushResult> {
  const made: PushWriter[] = [];
  const openWriter = async (): Promise<PushWriter | undefined> => {
    const own = await input.openWriter?.();
    if (own !== undefined) made.push(own);
    return own;
  };
  try {
    return await pushContent({ ...input, openWriter }, report, signal);
  } catch (error) {
    if (made.length === 0 || !isDeliverError(error, 'E_REGISTRY_AUTH')) throw error;
    report.note('! registry: the account made for this push was refused in the middle; it is made anew.');
    return pushContent(input, report, signal);
  }
}

/** `3 images, 96 MB pushed; 38 are already there`. */
export function pushSummary({ taggedImages, presentImages, pushedBytes, putReferrers }: PushResult): string {
  if (taggedImages === 0 && putReferrers > 0)
    return `what refers to ${countText(presentImages, 'image')} pushed; the images are already there`;
  if (taggedImages === 0) return `nothing to push; ${are(presentImages, 'image')} already there`;
  const pushed = `${countText(taggedImages, 'image')}, ${bytesText(pushedBytes)} pushed`;
  return presentImages === 0 ? pushed : `${pushed}; ${are(presentImages)} already there`;
}

function are(count: number, noun?: string): string {
  const counted = noun === undefined ? String(count) : countText(count, noun);
  return `${counted} ${count === 1 ? 'is' : 'are'}`;
}
