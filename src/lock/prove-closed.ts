import { DeliverError } from '../core/errors.ts';
import { neededComponents } from './component-files.ts';
import type { Lock } from './lock-schema.ts';
import { neededFiles } from './needed-files.ts';
import { neededImages, type ImagePlace } from './needed-images.ts';

/** How much was looked at. */
export interface ClosedProof {
  readonly images: number;
}

/**
 * Proves that nothing would be asked of the internet on site: derives from the release in the lock what its apps, Kubernetes
 * and the manifests in it need, and finds each of it in the lock. Charts are not rendered: what they run must be named under `images:`.
 * @throws DeliverError E_NOT_CLOSED naming each missing thing and what needs it
 */
export function proveClosed(lock: Lock): ClosedProof {
  const { release } = lock;
  const images = neededImages(release, imagesOfFiles(lock));
  const missingImages = images.filter(({ key }) => !lock.images.some(({ reference }) => reference === key));
  const missingFiles = neededFiles(release).filter((file) => !lock.files.some(({ name }) => name === file.name));
  const missingPrograms = neededComponents(release).filter(
    ({ name, component }) => !lock.files.some((file) => file.name === name && file.component?.version === component.version),
  );
  const silent = lock.files.filter(({ component, images: named }) => component?.name === 'kubeadm' && (named ?? []).length === 0);
  const missingManifests = (release.manifests ?? []).flatMap(({ path }, index) =>
    lock.files.some(({ name }) => name.startsWith(`manifests/${String(index)}/`)) ? [] : [{ path, index }],
  );
  const missingCharts = (release.charts ?? []).filter((chart) => !lock.charts.some(({ name }) => name === chart.name));
  const details = [
    ...missingImages.map(({ key, neededBy }) => `${key}  from ${neededBy.join('; ')}`),
    ...missingFiles.map(({ source, neededBy }) => `${source}  from ${neededBy}`),
    ...missingPrograms.map(
      ({ component, neededBy }) => `${component.name} ${component.version} for ${component.platform}  from ${neededBy}`,
    ),
    ...silent.map(({ name }) => `the images that it needs  from ${name}`),
    ...missingManifests.map(({ path, index }) => `${path}  from manifests[${String(index)}]`),
    ...missingCharts.map((chart) => `${chart.chart}  from chart ${chart.name}`),
  ];
  if (details.length === 0) return { images: lock.images.length };
  throw new DeliverError('E_NOT_CLOSED', {
    what: `This release is not closed: ${sentence(missingImages.length, details.length - missingImages.length)}`,
    details,
    fix: 'Make the lock again: deliver resolve RELEASE.',
    state: 'Nothing was written.',
  });
}

/** What kubeadm and the manifests of a lock ask for, as the lock remembers it. */
function imagesOfFiles({ files, release }: Lock): ImagePlace[] {
  return files.flatMap(({ name, component, images }) => {
    const place = component === undefined ? name : `kubernetes ${release.kubernetes?.version ?? ''}`;
    return (images ?? []).map((image) => ({ image, place }));
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
