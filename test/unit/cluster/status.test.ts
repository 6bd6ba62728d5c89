import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../src/cluster/port.ts';
import { statusOf } from '../../../src/cluster/status.ts';

function anObject(
  kind: string,
  spec: unknown,
  status: Record<string, unknown>,
  metadata: Record<string, unknown> = {},
): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'x', generation: 2, ...metadata },
    spec,
    status: { observedGeneration: 2, ...status },
  };
}

const condition = (type: string, status: string, reason = '', message = ''): unknown => ({ type, status, reason, message });
const full = { replicas: 2, updatedReplicas: 2, availableReplicas: 2, readyReplicas: 2 };

describe('status', () => {
  test.each<[string, KubeObject, string, string | RegExp]>([
    ['an object that is being deleted', anObject('ConfigMap', {}, {}, { deletionTimestamp: 'x' }), 'terminating', /deleted/],
    [
      'a change that the controller has not seen',
      anObject('Deployment', { replicas: 2 }, { ...full, observedGeneration: 1 }),
      'in-progress',
      /not seen/,
    ],
    ['an Argo generation in text', anObject('Rollout', {}, { observedGeneration: '2' }), 'current', 'there'],
    ['a Deployment that is done', anObject('Deployment', { replicas: 2 }, full), 'current', '2 of 2 ready'],
    [
      'a Deployment in mid-update',
      anObject('Deployment', { replicas: 2 }, { ...full, updatedReplicas: 1 }),
      'in-progress',
      '1 of 2 updated',
    ],
    [
      'a Deployment with an old pod',
      anObject('Deployment', { replicas: 2 }, { ...full, replicas: 3 }),
      'in-progress',
      '1 old pods left',
    ],
    [
      'a Deployment that is not ready',
      anObject('Deployment', { replicas: 2 }, { ...full, readyReplicas: 1 }),
      'in-progress',
      '1 of 2 ready',
    ],
    [
      'a Deployment past its deadline',
      anObject(
        'Deployment',
        { replicas: 2 },
        { ...full, conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded', 'too slow')] },
      ),
      'failed',
      'too slow',
    ],
    [
      'a StatefulSet that is done',
      anObject('StatefulSet', { replicas: 2 }, { ...full, currentRevision: 'a', updateRevision: 'a' }),
      'current',
      '2 of 2 ready',
    ],
    [
      'a StatefulSet in mid-update',
      anObject('StatefulSet', { replicas: 2 }, { ...full, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'b' }),
      'in-progress',
      '1 of 2 updated',
    ],
    [
      'a StatefulSet that starts',
      anObject('StatefulSet', { replicas: 2 }, { replicas: 1, readyReplicas: 1 }),
      'in-progress',
      '1 of 2 made, 1 ready',
    ],
    [
      'a StatefulSet with a partition',
      anObject(
        'StatefulSet',
        { replicas: 2, updateStrategy: { rollingUpdate: { partition: 1 } } },
        { ...full, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'b' },
      ),
      'current',
      '2 of 2 ready',
    ],
    [
      'a StatefulSet that is updated by hand',
      anObject('StatefulSet', { updateStrategy: { type: 'OnDelete' } }, {}),
      'current',
      /OnDelete/,
    ],
    ['a DaemonSet without nodes', anObject('DaemonSet', {}, { desiredNumberScheduled: 0 }), 'current', '0 of 0 ready'],
    [
      'a DaemonSet in mid-update',
      anObject('DaemonSet', {}, { desiredNumberScheduled: 3, updatedNumberScheduled: 2 }),
      'in-progress',
      '2 of 3 updated',
    ],
    ['a Job that runs', anObject('Job', {}, { active: 1 }), 'in-progress', /running/],
    ['a Job that is complete', anObject('Job', {}, { conditions: [condition('Complete', 'True')] }), 'current', 'complete'],
    [
      'a Job that failed',
      anObject('Job', {}, { conditions: [condition('Failed', 'True', 'x', 'backoff limit')] }),
      'failed',
      'backoff limit',
    ],
    ['a claim without a volume', anObject('PersistentVolumeClaim', {}, { phase: 'Pending' }), 'in-progress', 'not bound'],
    [
      'a definition',
      anObject('CustomResourceDefinition', {}, { conditions: [condition('Established', 'True')] }),
      'current',
      'established',
    ],
    [
      'a custom resource that is not ready',
      anObject('Thing', {}, { conditions: [condition('Ready', 'False', '', 'waits')] }),
      'in-progress',
      'waits',
    ],
    [
      'a custom resource that is stalled',
      anObject('Thing', {}, { conditions: [condition('Stalled', 'True', '', 'broken')] }),
      'failed',
      'broken',
    ],
    ['a ConfigMap', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }, 'current', 'there'],
    [
      'a pod that crashes',
      anObject('Pod', {}, { phase: 'Running', containerStatuses: [{ state: { waiting: { reason: 'CrashLoopBackOff' } } }] }),
      'failed',
      /crashes/,
    ],
  ])('of %s', (_, object, state, message) => {
    const status = statusOf(object);
    expect(status.state).toBe(state);
    expect(status.message).toMatch(message);
  });

  test('a workload that no controller has seen is never current', () => {
    for (const kind of ['Deployment', 'StatefulSet', 'DaemonSet', 'Job']) {
      expect(statusOf({ apiVersion: 'x', kind, metadata: { name: 'x', generation: 1 }, spec: { replicas: 0 } }).state).toBe(
        'in-progress',
      );
    }
  });
});
