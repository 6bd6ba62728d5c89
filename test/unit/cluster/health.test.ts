import { expect, it } from 'vitest';
import { waitHealthy } from '../../../src/cluster/health.ts';
import type { ClusterApi } from '../../../src/cluster/port.ts';

it('says how a Job that failed runs again: applying it never does', async () => {
  const ref = { apiVersion: 'batch/v1', kind: 'Job', name: 'migrate', namespace: 'project' };
  const conditions = [{ type: 'Failed', status: 'True', message: 'BackoffLimitExceeded' }];
  const api: ClusterApi = {
    version: () => Promise.resolve('v1.34.4'),
    get: () => Promise.resolve({ ...ref, metadata: { name: ref.name, namespace: ref.namespace }, status: { conditions } }),
    list: () => Promise.resolve([]),
    apply: (object) => Promise.resolve(object),
    delete: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  await expect(waitHealthy(api, [ref])).rejects.toThrowWithCode('E_NOT_READY', 'kubectl delete -n project job migrate');
});
