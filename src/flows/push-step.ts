import { bytesText, countText } from '../core/amounts.ts';
import type { Step } from '../core/report.ts';
import { pushContent, type PushInput, type PushResult } from '../registry/push-content.ts';

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
      const result = await pushContent(input(), report, signal);
      finished(result);
      return { summary: pushSummary(result), changed: result.taggedImages + result.putReferrers + result.projectsMade };
    },
  };
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
