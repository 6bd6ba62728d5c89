import { afterEach, beforeAll, expect, test } from 'vitest';
import type { ClusterApi, KubeRef } from '../../src/cluster/port.ts';
import { siteLockHolder, takeSiteLock, type SiteLock } from '../../src/cluster/site-lock.ts';
import { SILENT } from '../../src/core/report.ts';
import { InstallLock, processSpace } from '../../src/flows/install/install-lock.ts';
import { describeOnKube } from '../support/describe-on-kube.ts';

const LEASE: KubeRef = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  name: 'deliver-install',
  namespace: 'deliver-system',
};

describeOnKube('the lock of a site', {}, (started) => {
  let api: ClusterApi;
  const held: SiteLock[] = [];

  beforeAll(() => {
    ({ api } = started());
  });

  afterEach(async () => {
    await Promise.all(held.splice(0).map((lock) => lock.release()));
    await api.delete(LEASE);
  });

  const take = async (who: string, isDead: (holder: string) => boolean = () => false): Promise<SiteLock> => {
    const options = { holder: `${who}, process 1, ${who}`, isDead, report: SILENT, signal: new AbortController().signal };
    const lock = await takeSiteLock(api, { ...options, renewEvery: 300 });
    held.push(lock);
    return lock;
  };

  test('is for one: the second is told who has it and since when, and gets it when the first is done', async () => {
    const first = await take('ann@laptop');
    await expect(take('bob@desk')).rejects.toThrowWithCode('E_SITE_BUSY', 'ann@laptop (process 1) works on this site since');
    expect(await siteLockHolder(api)).toBe('ann@laptop (process 1)');
    await first.release();
    await take('bob@desk');
    expect(await siteLockHolder(api)).toBe('bob@desk (process 1)');
  });

  test('of ten that come at once one wins', async () => {
    const all = await Promise.allSettled(Array.from({ length: 10 }, (_, index) => take(`op${String(index)}@laptop`)));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('one whose holder is known to be dead is taken at once', async () => {
    await abandon('ann@laptop, process 1, ann');
    await take('bob@desk', (holder) => holder.startsWith('ann@'));
    expect(await siteLockHolder(api)).toBe('bob@desk (process 1)');
  });

  test('one that nobody renews is taken when its time is over', async () => {
    await abandon('ann@laptop, process 1, ann', 2);
    await take('bob@desk');
    expect(await siteLockHolder(api)).toBe('bob@desk (process 1)');
  });

  test('who lost it learns so, and does not take it away from the new holder', async () => {
    const first = await take('ann@laptop');
    const lost = new Promise((resolve) => first.lost.addEventListener('abort', resolve));
    await api.apply(lease('bob@desk, process 2, bob', 20), { manager: 'bob', force: true });
    await lost;
    expect(first.lost.reason).toMatchObject({ code: 'E_SITE_BUSY' });
    await first.release();
    expect(await siteLockHolder(api)).toBe('bob@desk (process 2)');
  });

  test('a run of a process that was killed here does not hold up the next', async () => {
    // Beyond the largest process number that Linux gives.
    await abandon(`ops@laptop, process 4194305, ${processSpace()}, x`);
    const lock = new InstallLock();
    await lock.take(api, SILENT, new AbortController().signal);
    expect(await siteLockHolder(api)).toContain(`process ${String(process.pid)}`);
    await lock.release();
    expect(await siteLockHolder(api)).toBeUndefined();
  });

  /** What a holder leaves that was killed. */
  const abandon = async (holder: string, duration = 600): Promise<void> => {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'deliver-system' } };
    await api.apply(namespace);
    await api.apply(lease(holder, duration), { manager: 'deliver-lock-dead' });
  };

  const lease = (holder: string, duration: number) => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'deliver-install', namespace: 'deliver-system' },
    spec: {
      holderIdentity: holder,
      acquireTime: '2026-01-01T08:00:00.000000Z',
      renewTime: '2026-01-01T08:00:00.000000Z',
      leaseDurationSeconds: duration,
    },
  });
});
