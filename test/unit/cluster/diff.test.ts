import { describe, expect, test } from 'vitest';
import { diffObject } from '../../../src/cluster/diff.ts';
import type { KubeObject } from '../../../src/cluster/port.ts';

function anObject(spec: unknown, more: Partial<KubeObject> = {}): KubeObject {
  return { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'gatekeeper', namespace: 'project' }, spec, ...more };
}

describe('differences', () => {
  test('an object that is not there yet is one addition', () => {
    expect(diffObject(undefined, anObject({}))).toEqual([{ path: '', kind: 'add' }]);
  });

  test('what only the server writes is none', () => {
    const live = anObject(
      { replicas: 1 },
      { metadata: { name: 'gatekeeper', uid: 'a', generation: 1, resourceVersion: '1', managedFields: [1] }, status: { x: 1 } },
    );
    const next = anObject(
      { replicas: 1 },
      { metadata: { name: 'gatekeeper', uid: 'b', generation: 2, resourceVersion: '2', creationTimestamp: 'x' } },
    );
    expect(diffObject(live, next)).toEqual([]);
  });

  test('a changed replica count is that one field', () => {
    expect(diffObject(anObject({ replicas: 1 }), anObject({ replicas: 2 }))).toEqual([
      { path: 'spec.replicas', kind: 'change', before: 1, after: 2 },
    ]);
  });

  test('containers, ports, variables and mounts are told apart by name', () => {
    const before = {
      containers: [
        { name: 'a', image: 'x:1', env: [{ name: 'E', value: '1' }] },
        { name: 'b', volumeMounts: [{ name: 'v', mountPath: '/1' }] },
      ],
    };
    const after = {
      containers: [
        {
          name: 'b',
          volumeMounts: [
            { name: 'v', mountPath: '/1' },
            { name: 'v', mountPath: '/2' },
          ],
        },
        { name: 'a', image: 'x:2', env: [] },
      ],
    };
    expect(diffObject(anObject(before), anObject(after))).toEqual([
      { path: 'spec.containers[a].image', kind: 'change', before: 'x:1', after: 'x:2' },
      { path: 'spec.containers[a].env[E]', kind: 'remove', before: { name: 'E', value: '1' } },
      { path: 'spec.containers[b].volumeMounts[/2]', kind: 'add', after: { name: 'v', mountPath: '/2' } },
      { path: 'spec.containers (order)', kind: 'change', before: 'a, b', after: 'b, a' },
    ]);
  });

  test('a new order is a change by itself, one that an addition or removal makes is not', () => {
    const init = (...names: string[]): KubeObject => anObject({ initContainers: names.map((name) => ({ name })) });
    expect(diffObject(init('a', 'b', 'c'), init('c', 'a', 'b'))).toEqual([
      { path: 'spec.initContainers (order)', kind: 'change', before: 'a, b, c', after: 'c, a, b' },
    ]);
    expect(diffObject(init('a', 'b'), init('z', 'a')).map(({ kind }) => kind)).toEqual(['add', 'remove'].reverse());
  });

  test('an ingress rule is named by its host, a plain list by position, a dotted key in brackets', () => {
    const before = anObject({ rules: [{ host: 'a' }], args: ['x', 'y'] });
    const after = anObject(
      { rules: [{ host: 'a' }, { host: 'b' }], args: ['x', 'z'] },
      { metadata: { name: 'g', labels: { 'app.kubernetes.io/name': 'x' } } },
    );
    expect(
      diffObject({ ...before, metadata: { name: 'g', labels: {} } }, after).map(({ path, kind }) => `${kind} ${path}`),
    ).toEqual(['add spec.rules[b]', 'change spec.args[1]', 'add metadata.labels[app.kubernetes.io/name]']);
  });

  test('of a Secret only the names of what changes are seen', () => {
    const secret = (data: unknown, annotations = {}): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', annotations },
      data,
    });
    const last = { 'kubectl.kubernetes.io/last-applied-configuration': '{"data":"b2xk"}' };
    const changes = diffObject(secret({ a: 'b2xk', b: 'c2FtZQ==' }, last), secret({ a: 'bmV3', b: 'c2FtZQ==', c: 'bW9yZQ==' }));
    expect(changes.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
      'change data.a',
      'add data.c',
      'remove metadata.annotations[kubectl.kubernetes.io/last-applied-configuration]',
    ]);
    expect(JSON.stringify(changes)).not.toMatch(/b2xk|bmV3|bW9yZQ/);
    const whole = diffObject({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } }, secret({ a: 'bmV3' }));
    expect(whole).toContainEqual({ path: 'data', kind: 'add', after: { a: '***' } });
  });
});
