import { describe, expect, it } from 'vitest';
import { NO_STYLE } from '../../../src/cli/style.ts';
import { resolveSummary, viewResolve } from '../../../src/cli/views/resolve.ts';
import { contentsText, proofText } from '../../../src/flows/contents-text.ts';
import { lockContents } from '../../../src/lock/lock-contents.ts';
import { bareSession, bareSite } from '../../support/bare-plan.ts';
import { smallRelease } from '../../support/bundles.ts';

const site = bareSite([
  { name: 'cp1', address: '10.89.3.11' },
  { name: 'reg1', address: '10.89.3.12' },
]);

describe('what a lock holds', () => {
  it('is told by what it is for, with its bytes; what several share counts once, what is not there is not told', async () => {
    const { lock } = (await bareSession(site)).bundle;
    expect(lockContents(lock)).toMatchObject({
      images: { count: 6, bytes: 325_323_000 },
      components: { count: 8, bytes: 335_300_000 },
      addons: { count: 4 },
      files: { count: 0 },
      apps: 1,
    });
    expect(contentsText(lockContents(lock))).toBe('6 images (325 MB), 8 components (335 MB), 4 add-ons');
    const small = lockContents(smallRelease().lock);
    expect(contentsText(small)).toMatch(/^2 images \(\d.*B\), 1 chart \(\d+ B\), 1 file \(7 B\)$/);
  });

  it('of add-ons alone is not “0 workloads”: the proof names what was looked at', async () => {
    const { lock } = (await bareSession(site)).bundle;
    const { apps: _apps, ...release } = lock.release;
    expect(proofText(lockContents({ ...lock, release }))).toBe('4 add-ons, 8 components: every image of theirs is in the lock');
    expect(proofText(lockContents(smallRelease().lock))).toBe('2 images, no app or add-on needs more');
  });

  it('counts a program for two platforms as one component, with the bytes of both', async () => {
    const { lock } = (await bareSession(site)).bundle;
    const other = lock.files.flatMap((file) =>
      file.component === undefined
        ? []
        : [
            {
              ...file,
              digest: smallRelease().lock.files[0]?.digest ?? file.digest,
              component: { ...file.component, platform: 'linux/arm64' },
            },
          ],
    );
    expect(lockContents({ ...lock, files: [...lock.files, ...other.slice(0, 1)] }).components).toEqual({
      count: 8,
      bytes: 335_300_000 + 74_000_000,
    });
  });

  it('stands at the end of a resolve', async () => {
    const { lock } = (await bareSession(site)).bundle;
    const result = resolveSummary({ lock, lockPath: 'bare-site.lock.yaml', outcome: 'written' });
    expect(viewResolve(result, NO_STYLE)).toEqual([
      '',
      '✔ bare-site.lock.yaml',
      '  661 MB to carry: 6 images (325 MB), 8 components (335 MB), 4 add-ons',
      '  Review and commit it: it is what pack ships.',
    ]);
  });
});
