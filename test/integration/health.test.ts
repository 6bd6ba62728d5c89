import { beforeAll, expect, test } from 'vitest';
import { applyObjects, planObjects } from '../../src/cluster/apply.ts';
import { waitHealthy } from '../../src/cluster/health.ts';
import { refOf } from '../../src/cluster/refs.ts';
import { statusOf } from '../../src/cluster/status.ts';
import type { ClusterApi, KubeObject } from '../../src/cluster/port.ts';
import type { Report } from '../../src/core/report.ts';
import { describeOnKube } from '../support/describe-on-kube.ts';
import type { KubeApiServer } from '../support/kube-api.ts';
import { imageOf, playKubelet, ready, stuck, succeeded, type Fate } from '../support/kubelet.ts';

const GRACE = { image: 1_500, config: 1_500, unschedulable: 1_500 };

function aWorkload(kind: string, image: string, namespace: string, replicas = 2): KubeObject {
  const labels = { app: 'web' };
  const template = {
    metadata: { labels },
    spec: { containers: [{ name: 'web', image }], ...(kind === 'Job' ? { restartPolicy: 'Never' } : {}) },
  };
  const spec = {
    replicas,
    selector: { matchLabels: labels },
    template,
    ...(kind === 'StatefulSet' ? { serviceName: 'web' } : {}),
  };
  const metadata = { name: 'web', namespace };
  if (kind === 'Job') return { apiVersion: 'batch/v1', kind, metadata, spec: { template } };
  return { apiVersion: 'apps/v1', kind, metadata, spec };
}

function listening(): Report & { readonly details: string[]; readonly notes: string[] } {
  const details: string[] = [];
  const notes: string[] = [];
  return {
    details,
    notes,
    progress: ({ detail }) => detail !== undefined && details.push(detail),
    note: (line) => notes.push(line),
  };
}

describeOnKube('health', { controllers: true, timeout: 60_000 }, (started) => {
  let kube: KubeApiServer;
  let api: ClusterApi;
  let count = 0;

  beforeAll(() => {
    ({ kube, api } = started());
  });

  /** A namespace of its own in which pods have that fate while `work` runs: most of a test is waiting, so they do it together. */
  const withPods = async (fate: Fate, work: (namespace: string) => Promise<void>): Promise<void> => {
    const namespace = `test-${String(++count)}`;
    await applyObjects(api, [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }]);
    const kubelet = playKubelet(kube, api, namespace, fate);
    try {
      await work(namespace);
    } finally {
      await kubelet.stop();
    }
  };

  test.concurrent.each(['Deployment', 'StatefulSet'])(
    'waits until every pod of a %s is ready, and says which one it waits for',
    async (kind) => {
      const slow = new Map<string, number>();
      const fate: Fate = (pod) => {
        const looks = (slow.get(pod.metadata.name) ?? 0) + 1;
        slow.set(pod.metadata.name, looks);
        return looks > 10 ? ready(pod) : undefined;
      };
      await withPods(fate, async (namespace) => {
        const objects = [aWorkload(kind, 'quay.io/a/web:1', namespace)];
        await applyObjects(api, objects);
        const report = listening();
        await waitHealthy(api, objects.map(refOf), { report, timeout: 30_000 });
        expect(report.details.some((line) => line.startsWith(`${namespace}/web`) && line.includes('waiting for web-'))).toBe(
          true,
        );
        const [ref] = objects.map(refOf);
        const live = ref === undefined ? undefined : await api.get(ref);
        expect(live === undefined ? undefined : statusOf(live)).toEqual({ state: 'current', message: '2 of 2 ready' });
      });
    },
  );

  test.concurrent('an image that can’t be pulled ends the wait with pod, image and the registry’s answer', async () => {
    const fate: Fate = (pod) =>
      stuck(pod, 'ErrImagePull', 'failed to resolve reference "quay.io/a/web:1": quay.io/a/web:1: not found');
    await withPods(fate, async (namespace) => {
      const objects = [aWorkload('Deployment', 'quay.io/a/web:1', namespace)];
      await applyObjects(api, objects);
      await expect(waitHealthy(api, objects.map(refOf), { timeout: 30_000, grace: GRACE })).rejects.toThrowWithCode(
        'E_IMAGE_PULL',
        /can't pull quay\.io\/a\/web:1[^]*not found[^]*not ready: web-/,
      );
    });
  });

  test.concurrent('a pull that fails once and then works is no error', async () => {
    let looks = 0;
    const fate: Fate = (pod) => (++looks < 8 ? stuck(pod, 'ErrImagePull', 'connection reset') : ready(pod));
    await withPods(fate, async (namespace) => {
      const objects = [aWorkload('Deployment', 'quay.io/a/web:1', namespace, 1)];
      await applyObjects(api, objects);
      await waitHealthy(api, objects.map(refOf), { timeout: 30_000 });
    });
  });

  test.concurrent('a container that crashes again and again is named with its exit code', async () => {
    const fate: Fate = (pod) =>
      stuck(pod, 'CrashLoopBackOff', 'back-off', {
        restartCount: 4,
        lastState: { terminated: { exitCode: 78, reason: 'Error' } },
      });
    await withPods(fate, async (namespace) => {
      const objects = [aWorkload('StatefulSet', 'quay.io/a/web:1', namespace)];
      await applyObjects(api, objects);
      await expect(waitHealthy(api, objects.map(refOf), { timeout: 30_000 })).rejects.toThrowWithCode(
        'E_NOT_READY',
        'exit code 78',
      );
    });
  });

  test.concurrent('a StatefulSet that hangs in a broken version goes on with the repaired one', async () => {
    const fate: Fate = (pod) => (imageOf(pod).endsWith(':broken') ? stuck(pod, 'ImagePullBackOff', 'not found') : ready(pod));
    await withPods(fate, async (namespace) => {
      const refs = [refOf(aWorkload('StatefulSet', 'x', namespace))];
      await applyObjects(api, [aWorkload('StatefulSet', 'quay.io/a/web:1', namespace)]);
      await waitHealthy(api, refs, { timeout: 30_000 });
      await applyObjects(api, [aWorkload('StatefulSet', 'quay.io/a/web:broken', namespace)]);
      await expect(waitHealthy(api, refs, { timeout: 30_000, grace: GRACE })).rejects.toThrowWithCode(
        'E_IMAGE_PULL',
        'Ready: web-0; not ready: web-1',
      );
      await applyObjects(api, [aWorkload('StatefulSet', 'quay.io/a/web:2', namespace)]);
      const report = listening();
      await waitHealthy(api, refs, { timeout: 30_000, report });
      expect(report.notes).toEqual([expect.stringContaining('deleted web-1')]);
      const pods = await api.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace });
      expect(pods.map(imageOf)).toEqual(['quay.io/a/web:2', 'quay.io/a/web:2']);
    });
  });

  test.concurrent('pods that a quota forbids are explained when the time is up', async () => {
    const fate: Fate = () => undefined;
    await withPods(fate, async (namespace) => {
      const quota = {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'none', namespace },
        spec: { hard: { pods: '0' } },
      };
      await applyObjects(api, [quota]);
      const objects = [aWorkload('StatefulSet', 'quay.io/a/web:1', namespace)];
      await applyObjects(api, objects);
      await expect(waitHealthy(api, objects.map(refOf), { timeout: 4_000 })).rejects.toThrowWithCode(
        'E_NOT_READY',
        /exceeded quota|forbidden/,
      );
    });
  });

  test.concurrent('a Job is waited for until it is complete, and another template is another run', async () => {
    await withPods(succeeded, async (namespace) => {
      const first = [aWorkload('Job', 'quay.io/a/migrate:1', namespace)];
      await applyObjects(api, first);
      await waitHealthy(api, first.map(refOf), { timeout: 30_000 });
      expect(await planObjects(api, first)).toMatchObject([{ action: 'same' }]);
      const second = [aWorkload('Job', 'quay.io/a/migrate:2', namespace)];
      expect(await planObjects(api, second)).toMatchObject([{ action: 'change', replace: true }]);
      await applyObjects(api, second);
      await waitHealthy(api, second.map(refOf), { timeout: 30_000 });
      expect(await planObjects(api, second)).toMatchObject([{ action: 'same' }]);
    });
  });

  test.concurrent('an interrupt ends the wait with its own reason', async () => {
    const interrupt = new AbortController();
    const reason = new Error('interrupted');
    await withPods(
      () => undefined,
      async (namespace) => {
        const objects = [aWorkload('Deployment', 'quay.io/a/web:1', namespace)];
        await applyObjects(api, objects);
        const wait = waitHealthy(api, objects.map(refOf), { signal: interrupt.signal });
        setTimeout(() => interrupt.abort(reason), 300);
        await expect(wait).rejects.toBe(reason);
      },
    );
  });
});
