import { bytesText, countText } from '../core/amounts.ts';
import type { Amount, LockContents } from '../lock/lock-contents.ts';

/** `24 images (812 MB), 9 components (310 MB), 4 add-ons`: what is there, nothing of what is not. */
export function contentsText({ images, charts, components, addons, files }: LockContents): string {
  const parts = [
    ...amount(images, 'image'),
    ...amount(components, 'component'),
    ...(addons.count === 0 ? [] : [countText(addons.count, 'add-on')]),
    ...amount(charts, 'chart'),
    ...amount(files, 'file'),
  ];
  return parts.length === 0 ? 'nothing to carry' : parts.join(', ');
}

/** `2 apps, 4 add-ons, 9 components: every image of theirs is in the lock`. */
export function proofText({ apps, addons, components, images }: LockContents): string {
  const users = [
    ...(apps === 0 ? [] : [countText(apps, 'app')]),
    ...(addons.count === 0 ? [] : [countText(addons.count, 'add-on')]),
    ...(components.count === 0 ? [] : [countText(components.count, 'component')]),
  ];
  const whose = apps + addons.count + components.count === 1 ? 'of it' : 'of theirs';
  if (users.length > 0) return `${users.join(', ')}: every image ${whose} is in the lock`;
  return images.count === 0
    ? 'nothing in it asks for an image'
    : `${countText(images.count, 'image')}, no app or add-on needs more`;
}

function amount({ count, bytes }: Amount, noun: string): string[] {
  return count === 0 ? [] : [`${countText(count, noun)} (${bytesText(bytes)})`];
}
