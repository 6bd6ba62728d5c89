import { refuse } from '../manifest/problem.ts';
import { fillVersions } from '../manifest/fill.ts';
import type { LoadedRelease } from '../manifest/load-release.ts';
import { checkedLock } from './check-lock.ts';
import { neededComponents } from './component-files.ts';
import { kubernetesImages } from './component-images.ts';
import { componentProblems } from './component-problems.ts';
import { skewAdvice } from './component-skew.ts';
import type { Lock } from './lock-schema.ts';
import { manifestFiles } from './manifest-files.ts';
import { neededFiles } from './needed-files.ts';
import { neededImages, type ImagePlace } from './needed-images.ts';
import { resolveChart, type ResolvePorts } from './resolve-chart.ts';
import { checksumAdvice, resolveComponent, type ResolvedComponent } from './resolve-component.ts';
import { resolveFile } from './resolve-file.ts';
import { resolveImage } from './resolve-image.ts';
import { resolveManifest } from './resolve-manifest.ts';
import { ResolveRun, type RunOptions } from './resolve-run.ts';

export interface ResolveOptions extends RunOptions {
  /** An earlier lock; what it knows for certain is not asked for again. */
  readonly previous?: Lock | undefined;
  /** Something that a person should know, though it stops nothing. */
  readonly onNote?: (line: string) => void;
}

/**
 * The lock of a release: every image, chart and file by digest and size. Asks sources, writes nothing.
 * @throws DeliverError the one failure as it is, or several together with one line of details each
 */
export async function resolveRelease(loaded: LoadedRelease, ports: ResolvePorts, options: ResolveOptions = {}): Promise<Lock> {
  const release = fillVersions(loaded.release);
  refuse(loaded.path, componentProblems(release), loaded.positionOf);
  for (const line of skewAdvice(release)) options.onNote?.(line);
  const { platforms } = release;
  const previous = samePlatforms(options.previous, platforms) ? options.previous : undefined;
  const { folder } = loaded;
  const { signal } = options;
  const charts = release.charts ?? [];
  const files = neededFiles(release);
  const components = neededComponents(release);
  const manifests = await manifestFiles(release, folder);
  const certain = neededImages(release).length;
  const run = new ResolveRun(components.length + manifests.length + files.length + charts.length + certain, options);
  const before = (wanted: string): Lock['files'][number] | undefined => previous?.files.find(({ name }) => name === wanted);

  const [resolvedComponents, lockedFiles, resolvedManifests, lockedCharts] = await Promise.all([
    run.all(components, described, (item) => resolveComponent(item, ports.files, { signal, previous: before(item.name) })),
    run.all(files, described, (file) => resolveFile(file, ports.files, { folder, signal, previous: before(file.name) })),
    run.all(manifests, described, (file) => resolveManifest(file, ports.files, { folder, signal })),
    run.all(
      charts,
      ({ name }) => ({ name: `chart ${name}`, neededBy: [] }),
      (chart) =>
        resolveChart(chart, ports, { folder, signal, previous: previous?.charts.find(({ name }) => name === chart.name) }),
    ),
  ]);
  for (const line of checksumAdvice(resolvedComponents)) options.onNote?.(line);
  const kubernetes = `kubernetes ${release.kubernetes?.version ?? ''}`;
  const kubeadm = resolvedComponents.filter(isKubeadm);
  run.expect(Math.min(1, kubeadm.length));
  const ofKubeadm = await run.all(
    kubeadm.slice(0, 1),
    () => ({ name: `images of ${kubernetes}`, neededBy: [] }),
    () => kubernetesImages(kubeadm, previous?.files ?? [], ports.files, signal),
  );
  const ownImages = ofKubeadm.flat();
  const places = [
    ...ownImages.map((image): ImagePlace => ({ image, place: kubernetes })),
    ...resolvedManifests.flatMap((one) => one.images),
  ];
  const images = neededImages(release, places);
  run.expect(images.length - certain);
  const lockedImages = await run.all(
    images,
    ({ key, neededBy }) => ({ name: key, neededBy }),
    (image) =>
      resolveImage(image, ports.images, {
        platforms,
        referrers: release.referrers === true,
        signal,
        previous: previous?.images.find(({ reference }) => reference === image.key),
      }),
  );
  run.refuseFailures();
  return checkedLock({
    apiVersion: 'deliver/v1',
    kind: 'Lock',
    metadata: release.metadata,
    platforms,
    files: [
      ...resolvedComponents.map((one) => (isKubeadm(one) ? { ...one.file, images: ownImages } : one.file)),
      ...lockedFiles,
      ...resolvedManifests.map(({ file }) => file),
    ],
    charts: lockedCharts,
    images: lockedImages,
    release,
  });
}

function samePlatforms(lock: Lock | undefined, platforms: readonly string[]): boolean {
  return lock?.platforms.join(' ') === platforms.join(' ');
}

function described({ name, neededBy }: { readonly name: string; readonly neededBy: string }): {
  name: string;
  neededBy: string[];
} {
  return { name, neededBy: [neededBy] };
}

function isKubeadm({ file }: ResolvedComponent): boolean {
  return file.component?.name === 'kubeadm';
}
