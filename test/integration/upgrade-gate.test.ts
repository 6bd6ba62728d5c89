import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SILENT } from '../../src/core/report.ts';
import { waitWorkloads, wholeWorkloads } from '../../src/site/kubeadm/workloads.ts';
import type { HostConnection } from '../../src/ssh/port.ts';
import { describeOnKube } from '../support/describe-on-kube.ts';
import type { KubeApiServer } from '../support/kube-api.ts';
import { controlPlaneHost } from '../support/kubectl-host.ts';

const { signal } = new AbortController();

describeOnKube('between two nodes of an upgrade', {}, (started) => {
  let kube: KubeApiServer;
  let control: HostConnection;
  let hosts: Awaited<ReturnType<typeof controlPlaneHost>>;

  beforeAll(async () => {
    ({ kube } = started());
    hosts = await controlPlaneHost(kube);
    control = await hosts.connect('cp1');
    await make('Deployment', 'notice', 1);
    await make('StatefulSet', 'gatekeeper', 2);
    await make('DaemonSet', 'traefik');
    await ready('deployments', 'notice', 1);
    await ready('statefulsets', 'gatekeeper', 2);
  }, 90_000);

  afterAll(async () => {
    await hosts.stop();
  }, 30_000);

  const make = (kind: string, name: string, replicas?: number): Promise<string> => {
    const labels = { app: name };
    const template = { metadata: { labels }, spec: { containers: [{ name, image: 'busybox:1.36' }] } };
    const spec = {
      selector: { matchLabels: labels },
      template,
      ...(replicas === undefined ? {} : { replicas }),
      ...(kind === 'StatefulSet' ? { serviceName: name } : {}),
    };
    return kube.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'apps/v1', kind, metadata: { name }, spec }));
  };
  const ready = (kind: string, name: string, count: number): Promise<void> =>
    kube.patchStatus(`/apis/apps/v1/namespaces/default/${kind}/${name}`, { replicas: count, readyReplicas: count });

  it('waits until what was whole before is whole again, and not for what nobody runs any more', async () => {
    const whole = await wholeWorkloads(control, SILENT, signal);
    expect([...whole].sort()).toEqual([
      'DaemonSet default/traefik',
      'Deployment default/notice',
      'StatefulSet default/gatekeeper',
    ]);
    await kube.kubectl(['delete', 'deployment', 'notice']);
    await ready('statefulsets', 'gatekeeper', 1);
    let isWhole = false;
    const waiting = waitWorkloads(control, whole, { timeout: 60_000, signal }).then(() => {
      expect(isWhole).toBe(true);
    });
    await sleep(3_000);
    isWhole = true;
    await ready('statefulsets', 'gatekeeper', 2);
    await waiting;
  });

  it('names what does not come back', async () => {
    await ready('statefulsets', 'gatekeeper', 1);
    const waiting = waitWorkloads(control, new Set(['StatefulSet default/gatekeeper']), { timeout: 1_000, signal });
    await expect(waiting).rejects.toThrowWithCode('E_NOT_READY', 'StatefulSet default/gatekeeper: 1 of 2 ready');
    // Of what was broken before nobody speaks.
    await waitWorkloads(control, new Set(['DaemonSet default/traefik']), { timeout: 1_000, signal });
  });
});
