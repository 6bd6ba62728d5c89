import { setTimeout as sleep } from 'node:timers/promises';
import { fieldAt, listAt, textAt } from '../../src/cluster/fields.ts';
import type { ClusterApi, KubeObject } from '../../src/cluster/port.ts';
import type { KubeApiServer } from './kube-api.ts';

/** What becomes of a pod; undefined leaves it as it is. */
export type Fate = (pod: KubeObject) => unknown;

/** Plays the nodes of a cluster that has none: gives every pod of the namespace the status that `fate` says, until stopped. */
export function playKubelet(kube: KubeApiServer, api: ClusterApi, namespace: string, fate: Fate): { stop(): Promise<void> } {
  let running = true;
  const given = new Map<string, string>();
  const loop = async (): Promise<void> => {
    while (running) {
      for (const pod of await api.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace })) {
        const status = fate(pod);
        const text = JSON.stringify(status);
        if (status === undefined || given.get(pod.metadata.uid ?? '') === text) continue;
        given.set(pod.metadata.uid ?? '', text);
        // The pod may be gone by now.
        await kube.patchStatus(`/api/v1/namespaces/${namespace}/pods/${pod.metadata.name}`, status).catch(() => undefined);
      }
      await sleep(100);
    }
  };
  const done = loop();
  return {
    async stop() {
      running = false;
      await done;
    },
  };
}

export function imageOf(pod: KubeObject): string {
  return textAt(fieldAt(pod, 'spec', 'containers', 0), 'image') ?? '';
}

export function ready(pod: KubeObject): unknown {
  return {
    phase: 'Running',
    conditions: ['Ready', 'ContainersReady'].map((type) => ({ type, status: 'True' })),
    containerStatuses: containers(pod, { running: {} }, { ready: true, started: true }),
  };
}

export function succeeded(pod: KubeObject): unknown {
  return { phase: 'Succeeded', containerStatuses: containers(pod, { terminated: { exitCode: 0 } }, {}) };
}

export function stuck(pod: KubeObject, reason: string, message: string, more: object = {}): unknown {
  return { phase: 'Pending', containerStatuses: containers(pod, { waiting: { reason, message } }, more) };
}

function containers(pod: KubeObject, state: unknown, more: object): unknown[] {
  return listAt(pod, 'spec', 'containers').map((container) => ({
    name: textAt(container, 'name'),
    image: textAt(container, 'image'),
    imageID: '',
    ready: false,
    restartCount: 0,
    state,
    ...more,
  }));
}
