import { buildRelease, type ReleaseSpec, type TestRelease } from './bundles.ts';
import { noise } from './images.ts';

/** What two versions of the suite share: one big layer of every image, busybox, the chart and the runbook. */
const BASE = noise(600_000, 'base layer');
const GATEKEEPER = 'dockerhub.kubekey.local/project/gatekeeper';

/** The suite at 3.6.1 and 3.6.2: gatekeeper has a new top layer, one image went and one came, a file changed. */
export function suiteVersion(version: '3.6.1' | '3.6.2', more: Partial<ReleaseSpec> = {}): TestRelease {
  const isNew = version === '3.6.2';
  return buildRelease({
    version,
    images: [
      { reference: 'docker.io/library/busybox:1.36', layers: [BASE, noise(20_000, 'busybox')] },
      { reference: `${GATEKEEPER}:v${version.replaceAll('.', '')}`, layers: [BASE, noise(30_000, `gatekeeper ${version}`)] },
      // Its only old layer lies in an image that did not change: it has to be mounted from there.
      ...(isNew
        ? [{ reference: 'docker.io/library/proxy:2', layers: [noise(20_000, 'busybox'), noise(5000, 'proxy')] }]
        : [{ reference: 'quay.io/old/sync:1', layers: [BASE, noise(9000, 'sync')] }]),
    ],
    files: [
      { name: 'runbook', content: Buffer.from(`read me, ${version}`) },
      { name: 'kubeadm', content: noise(50_000, 'kubeadm') },
    ],
    charts: [{ name: 'web', content: Buffer.from('chart content') }],
    ...more,
  });
}
