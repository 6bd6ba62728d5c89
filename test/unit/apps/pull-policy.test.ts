import { expect, it } from 'vitest';
import { asksAtEveryStart, startsWithWhatIsThere } from '../../../src/apps/pull-policy.ts';
import type { KubeObject } from '../../../src/cluster/port.ts';

const workload = (containers: readonly object[], initContainers: readonly object[] = []): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'agent', namespace: 'kube-system' },
  spec: { template: { spec: { hostNetwork: true, containers, ...(initContainers.length === 0 ? {} : { initContainers }) } } },
});

const always = { name: 'a', image: 'quay.io/a/b:1', imagePullPolicy: 'Always' };
const latest = { name: 'l', image: 'busybox' };
const fine = { name: 'f', image: 'busybox:1.36' };

it('knows containers that ask a registry at every start: by policy, or because latest stands for it', () => {
  expect(asksAtEveryStart(workload([always, fine], [latest]))).toEqual(['l', 'a']);
  expect(asksAtEveryStart(workload([{ ...latest, imagePullPolicy: 'IfNotPresent' }]))).toEqual([]);
  expect(asksAtEveryStart(workload([{ ...latest, image: `busybox@sha256:${'a'.repeat(64)}` }]))).toEqual([]);
});

it('makes them start with what the node holds, and changes nothing else', () => {
  const changed = startsWithWhatIsThere(workload([always, fine], [latest]));
  expect(changed).toEqual(
    workload([{ ...always, imagePullPolicy: 'IfNotPresent' }, fine], [{ ...latest, imagePullPolicy: 'IfNotPresent' }]),
  );
  expect(asksAtEveryStart(changed)).toEqual([]);
});

it('leaves what is no workload, or asks for nothing, as it is', () => {
  const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } } as KubeObject;
  expect(startsWithWhatIsThere(config)).toBe(config);
  const good = workload([fine]);
  expect(startsWithWhatIsThere(good)).toBe(good);
});
