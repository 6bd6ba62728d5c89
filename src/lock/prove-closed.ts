import { DeliverError } from '../core/errors.ts';
import type { Lock } from './lock-schema.ts';
import { neededFiles } from './needed-files.ts';
import { neededImages } from './needed-images.ts';

/** How much was looked at. */
export interface ClosedProof {
  readonly workloads: number;
  readonly images: number;
}

/**
 * Proves that nothing would be asked of the internet on site: derives from the release in the lock what its apps need, and
 * finds each of it in the lock. Charts are not rendered: what they run must be named under `images:`.
 * @throws DeliverError E_NOT_CLOSED naming each missing thing and what needs it
 */
export function proveClosed(lock: Lock): ClosedProof {
  const { release } = lock;
  const images = neededImages(release);
  const missingImages = images.filter(({ key }) => !lock.images.some(({ reference }) => reference === key));
  const missingFiles = neededFiles(release).filter((file) => !lock.files.some(({ name }) => name === file.name));
  const missingCharts = (release.charts ?? []).filter((chart) => !lock.charts.some(({ name }) => name === chart.name));
  const details = [
    ...missingImages.map(({ key, neededBy }) => `${key}  from ${neededBy.join('; ')}`),
    ...missingFiles.map(({ source, neededBy }) => `${source}  from ${neededBy}`),
    ...missingCharts.map((chart) => `${chart.chart}  from chart ${chart.name}`),
  ];
  if (details.length === 0) return { workloads: (release.apps ?? []).length, images: lock.images.length };
  throw new DeliverError('E_NOT_CLOSED', {
    what: `This release is not closed: ${sentence(missingImages.length, missingFiles.length + missingCharts.length)}`,
    details,
    fix: 'Make the lock again: deliver resolve RELEASE.',
    state: 'Nothing was written.',
  });
}

function sentence(images: number, others: number): string {
  if (images === 0) return `${things(others, 'thing')} would be needed on site that the lock lacks.`;
  const more = others === 0 ? '' : `, and ${things(others, 'other thing')} needed,`;
  return `${things(images, 'image')} would be pulled on site${more} that the lock lacks.`;
}

function things(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
