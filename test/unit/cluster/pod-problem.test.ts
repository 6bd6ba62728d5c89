import { describe, expect, test } from 'vitest';
import { podError } from '../../../src/cluster/pod-error.ts';
import { diagnosePods, type PodProblem } from '../../../src/cluster/pod-problem.ts';
import type { KubeObject } from '../../../src/cluster/port.ts';

function aPod(name: string, status: unknown): KubeObject {
  const spec = { nodeName: 'w1', containers: [{ name: 'main', image: 'quay.io/a/web:1' }] };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'project', uid: `uid-${name}` }, spec, status };
}

const waiting = (reason: string, message: string, more: object = {}): unknown => ({
  containerStatuses: [{ name: 'main', image: 'resolved', state: { waiting: { reason, message } }, ...more }],
});

describe('diagnosis of pods', () => {
  test('names pod, node, image as the release names it, and what the kubelet says', () => {
    expect(diagnosePods([aPod('web-0', waiting('ErrImagePull', 'not found'))])).toEqual([
      {
        kind: 'image',
        pod: 'web-0',
        uid: 'uid-web-0',
        node: 'w1',
        container: 'main',
        image: 'quay.io/a/web:1',
        reason: 'ErrImagePull',
        message: 'not found',
        restarts: 0,
      },
    ]);
  });

  test('gives the exit code of a container that crashes', () => {
    const crashed = waiting('CrashLoopBackOff', 'back-off 5m0s', {
      restartCount: 7,
      lastState: { terminated: { exitCode: 3, reason: 'Error' } },
    });
    expect(diagnosePods([aPod('web-0', crashed)])).toMatchObject([
      { kind: 'crash', message: 'exit code 3 (Error)', restarts: 7 },
    ]);
  });

  test('gives the scheduler’s words for a pod that no node takes', () => {
    const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/2 nodes are available' }];
    expect(diagnosePods([aPod('web-0', { conditions })])).toMatchObject([
      { kind: 'unschedulable', message: '0/2 nodes are available' },
    ]);
  });

  test('finds nothing in pods that run, start or end', () => {
    const ending = { ...aPod('c', waiting('ErrImagePull', 'x')), metadata: { name: 'c', deletionTimestamp: 'now' } };
    expect(diagnosePods([aPod('a', { phase: 'Running' }), aPod('b', waiting('ContainerCreating', '')), ending])).toEqual([]);
  });

  test('puts what can’t heal first', () => {
    const pods = [
      aPod('a', waiting('CrashLoopBackOff', '')),
      aPod('b', waiting('InvalidImageName', '')),
      aPod('c', waiting('ImagePullBackOff', '')),
    ];
    expect(diagnosePods(pods).map(({ kind }) => kind)).toEqual(['image-name', 'image', 'crash']);
  });
});

describe('the error of a pod that can’t pull', () => {
  const problem = (message: string): PodProblem => ({
    kind: 'image',
    pod: 'web-0',
    uid: 'u',
    node: 'w1',
    image: 'quay.io/a/web:1',
    reason: 'ErrImagePull',
    message,
    restarts: 0,
  });

  test.each([
    ['unexpected status from HEAD request to https://harbor/v2/x: 401 Unauthorized', /pull account/],
    ['failed to resolve reference "quay.io/a/web:1": not found', /pushes what is missing/],
    ['tls: failed to verify certificate: x509: certificate signed by unknown authority', /certificate/],
    ['dial tcp: lookup quay.io on [::1]:53: connection refused', /fell back from the site’s mirror/],
  ])('advises by what the registry said: %s', (message, fix) => {
    const error = podError('project/web', problem(message), 'Ready: none.');
    expect(error).toThrowWithCode('E_IMAGE_PULL', fix);
    expect(error.facts.why).toBe(message);
  });
});
