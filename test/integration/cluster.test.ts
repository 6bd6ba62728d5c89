import { connect } from 'node:net';
import { duplexPair, pipeline, type Duplex } from 'node:stream';
import { beforeAll, expect, test } from 'vitest';
import { renderRelease } from '../../src/apps/release-objects.ts';
import { applyObjects, planObjects } from '../../src/cluster/apply.ts';
import { fieldAt } from '../../src/cluster/fields.ts';
import { createClusterApi } from '../../src/cluster/kube-client.ts';
import type { ClusterApi, KubeObject } from '../../src/cluster/port.ts';
import { beginRecord, finishRecord, listRecords, readRecord } from '../../src/cluster/record.ts';
import type { Report } from '../../src/core/report.ts';
import { aRelease, aReleaseContext, GATEKEEPER } from '../support/apps.ts';
import { describeOnKube } from '../support/describe-on-kube.ts';
import type { KubeApiServer } from '../support/kube-api.ts';

function aConfigMap(name: string, data: Record<string, string>, namespace = 'default'): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

function aDeployment(name: string, replicas: number, more: object = {}): KubeObject {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name, image: 'quay.io/a/web:1', ...more }] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: { replicas, selector: { matchLabels: labels }, template },
  };
}

describeOnKube('the cluster', {}, (started) => {
  let kube: KubeApiServer;
  let api: ClusterApi;

  beforeAll(() => {
    ({ kube, api } = started());
  });

  const writesDuring = async (work: () => Promise<unknown>): Promise<string[]> => {
    const before = (await kube.writes()).length;
    await work();
    return (await kube.writes()).slice(before);
  };

  test('says its version', async () => {
    expect(await api.version()).toBe('v1.34.4');
  });

  test('takes the whole release of the design document, and a second time writes nothing', async () => {
    const groups = renderRelease(aRelease(), aReleaseContext({ ingress: { addresses: ['10.86.67.11', '10.86.68.66'] } }));
    const objects = groups.flatMap((group) => group.render(new Map()));
    const planned = await writesDuring(async () => {
      const plans = await planObjects(api, objects);
      expect(plans.map(({ action }) => action)).toEqual(objects.map(() => 'create'));
    });
    expect(planned).toEqual([]);
    const first = await writesDuring(() => applyObjects(api, objects));
    expect(first).toHaveLength(objects.length);
    const second = await writesDuring(async () => {
      const done = await applyObjects(api, objects);
      expect(done.every(({ action }) => action === 'same')).toBe(true);
    });
    expect(second).toEqual([]);
  });

  test('plans a changed replica count as that one field, stores nothing, and applies just that', async () => {
    const release = aRelease({ apps: [{ ...GATEKEEPER, replicas: 2 }] });
    const objects = renderRelease(release, aReleaseContext()).flatMap((group) => group.render(new Map()));
    const changed = (await planObjects(api, objects)).filter(({ action }) => action !== 'same');
    expect(changed).toEqual([
      {
        ref: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'gatekeeper', namespace: 'project' },
        action: 'change',
        changes: [{ path: 'spec.replicas', kind: 'change', before: 1, after: 2 }],
      },
    ]);
    expect(await writesDuring(() => applyObjects(api, objects))).toEqual(['patch statefulsets/gatekeeper']);
  });

  test('shows no value of a Secret in a plan', async () => {
    const secret = (value: string): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'hidden', namespace: 'default' },
      data: { password: Buffer.from(value).toString('base64') },
    });
    await applyObjects(api, [secret('old value')]);
    const [plan] = await planObjects(api, [secret('new value')]);
    expect(plan?.changes).toEqual([{ path: 'data.password', kind: 'change', before: '***', after: '***' }]);
  });

  test('refuses a field that the API does not know, naming it', async () => {
    const wrong = aDeployment('strict', 1, { imagePullPolcy: 'Always' });
    await expect(planObjects(api, [wrong])).rejects.toThrowWithCode('E_APPLY', 'imagePullPolcy');
    await expect(applyObjects(api, [wrong])).rejects.toThrowWithCode('E_APPLY', 'Deployment default/strict');
  });

  test('refuses a value that the API does not allow, with every cause', async () => {
    const wrong = aDeployment('Wrong_Name', -1);
    await expect(applyObjects(api, [wrong])).rejects.toThrowWithCode('E_APPLY', 'spec.replicas');
  });

  test('refuses to change what can never change, and says so', async () => {
    const object: KubeObject = aDeployment('fixed', 0);
    await applyObjects(api, [object]);
    const other = JSON.parse(JSON.stringify(object).replaceAll('"app":"fixed"', '"app":"other"')) as KubeObject;
    await expect(planObjects(api, [other])).rejects.toThrowWithCode('E_APPLY', 'can’t be changed in place');
  });

  test('refuses a kind that the cluster lacks', async () => {
    const rollout = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', metadata: { name: 'x', namespace: 'default' } };
    await expect(planObjects(api, [rollout])).rejects.toThrowWithCode('E_APPLY', 'no kind Rollout');
  });

  test('names who set a field otherwise, and takes it over only when told to', async () => {
    await applyObjects(api, [aDeployment('shared', 1)]);
    await kube.kubectl(['scale', 'deployment', 'shared', '--replicas=5']);
    const mine = aDeployment('shared', 2);
    await expect(planObjects(api, [mine])).rejects.toThrowWithCode('E_CONFLICT', 'spec.replicas');
    await expect(applyObjects(api, [mine])).rejects.toThrowWithCode('E_CONFLICT', 'to the values of the release');
    const [done] = await applyObjects(api, [mine], { force: true });
    expect(done?.changes).toEqual([{ path: 'spec.replicas', kind: 'change', before: 5, after: 2 }]);
  });

  test('leaves a namespace of the site as it is', async () => {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default', labels: { mine: 'now' } } };
    expect(await planObjects(api, [namespace])).toMatchObject([{ action: 'same' }]);
  });

  test('lists more objects than fit on one page', async () => {
    const many = Array.from({ length: 510 }, (_, index) => aConfigMap(`many-${String(index)}`, {}, 'default'));
    const text = many.map((object) => JSON.stringify(object)).join('\n---\n');
    await kube.kubectl(['create', '-f', '-'], text);
    const found = await api.list({ apiVersion: 'v1', kind: 'ConfigMap' }, { namespace: 'default' });
    expect(found.filter(({ metadata }) => metadata.name.startsWith('many-'))).toHaveLength(510);
    expect(found[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
  });

  test('deletes an object once, and only the one that was meant', async () => {
    await applyObjects(api, [aConfigMap('gone', { a: '1' })]);
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', name: 'gone', namespace: 'default' };
    await api.delete(ref, { uid: 'of-another-one' });
    expect(await api.get(ref)).toBeDefined();
    await api.delete(ref);
    await api.delete(ref);
    expect(await api.get(ref)).toBeUndefined();
  });

  test('tells an account without rights which right it lacks, and an unknown one that it is unknown', async () => {
    const guest = await createClusterApi({ kubeconfig: kube.guestKubeconfig });
    await expect(guest.list({ apiVersion: 'apps/v1', kind: 'StatefulSet' }, { namespace: 'project' })).rejects.toThrowWithCode(
      'E_CLUSTER_AUTH',
      'may not list statefulsets in namespace project',
    );
    await expect(guest.apply(aConfigMap('x', {}))).rejects.toThrowWithCode(
      'E_CLUSTER_AUTH',
      'may not patch configmaps in namespace default',
    );
    await guest.close();
    const stranger = await createClusterApi({ kubeconfig: kube.kubeconfig.replace(kube.token, 'wrong-token') });
    const error: unknown = await stranger.list({ apiVersion: 'v1', kind: 'Pod' }).catch((thrown: unknown) => thrown);
    expect(error).toThrowWithCode('E_CLUSTER_AUTH', 'does not know the account');
    expect(JSON.stringify(error)).not.toContain('wrong-token');
    await stranger.close();
  });

  test('is not talked to when its certificate is of another CA or for another name', async () => {
    const otherName = kube.kubeconfig.replace('"server"', '"tls-server-name":"other.site","server"');
    const wrongName = await createClusterApi({ kubeconfig: otherName });
    await expect(wrongName.version()).rejects.toThrowWithCode('E_CLUSTER', 'can’t be trusted');
    await wrongName.close();
    const noCa = await createClusterApi({ kubeconfig: kube.kubeconfig.replace(/,"certificate-authority-data":"[^"]*"/, '') });
    await expect(noCa.version()).rejects.toThrowWithCode('E_CLUSTER', 'can’t be trusted');
    await noCa.close();
  });

  test('is reached through a tunnel by the name in the kubeconfig, which nothing here could resolve', async () => {
    const dialled: string[] = [];
    const dial = async (address: string, port: number): Promise<Duplex> => {
      dialled.push(`${address}:${String(port)}`);
      return tunnelTo(kube.port);
    };
    const kubeconfig = kube.kubeconfig.replace(`127.0.0.1:${String(kube.port)}`, 'kubernetes.default.svc:6443');
    const far = await createClusterApi({ kubeconfig, dial });
    expect(await far.version()).toBe('v1.34.4');
    expect(await far.list({ apiVersion: 'v1', kind: 'Namespace' })).not.toHaveLength(0);
    expect(new Set(dialled)).toEqual(new Set(['kubernetes.default.svc:6443']));
    await far.close();
  });

  test('remembers releases: a record is written when it says something new, and not again', async () => {
    const facts = {
      name: 'my_suite',
      version: '1',
      root: 'sha256:a',
      site: 'plant-7',
      urls: ['http://x'],
      inventory: [{ apiVersion: 'v1', kind: 'Secret', name: 's', namespace: 'p' }],
    };
    const [first, later] = [new Date('2026-01-01T00:00:00Z'), new Date('2026-02-02T00:00:00Z')];
    expect(await readRecord(api, 'my_suite')).toBeUndefined();
    expect(await beginRecord(api, facts, first)).toBe(true);
    expect(await beginRecord(api, facts, later)).toBe(false);
    expect((await readRecord(api, 'my_suite'))?.status).toBe('installing');
    expect(await finishRecord(api, facts, first)).toBe(true);
    expect(await beginRecord(api, facts, later)).toBe(false);
    expect(await finishRecord(api, facts, later)).toBe(false);
    expect(await listRecords(api)).toEqual([
      {
        ...facts,
        status: 'installed',
        installedAt: first.toISOString(),
        history: [{ version: '1', root: 'sha256:a', installedAt: first.toISOString() }],
      },
    ]);
    await expect(readRecord(api, 'my-suite')).rejects.toThrowWithCode('E_CONFLICT', 'can’t be told from release my_suite');
    const next = {
      ...facts,
      version: '2',
      root: 'sha256:b',
      inventory: [{ apiVersion: 'v1', kind: 'Secret', name: 't', namespace: 'p' }],
      trust: { signers: ['gateway@border (SHA256:g)'], accepted: 'signed by SHA256:x, not trusted' },
    };
    expect(await beginRecord(api, next, later)).toBe(true);
    expect((await readRecord(api, 'my_suite'))?.trust).toEqual(next.trust);
    expect((await readRecord(api, 'my_suite'))?.inventory.map(({ name }) => name)).toEqual(['s', 't']);
    await finishRecord(api, next, later);
    expect((await readRecord(api, 'my_suite'))?.inventory.map(({ name }) => name)).toEqual(['t']);
    expect((await readRecord(api, 'my_suite'))?.history.map(({ version }) => version)).toEqual(['1', '2']);
  });

  test('may restart in mid-apply: the apply goes on by itself and repeats no object', async () => {
    const objects = Array.from({ length: 12 }, (_, index) => aConfigMap(`restart-${String(index)}`, { index: String(index) }));
    let restarted: Promise<void> | undefined;
    const report: Report = {
      progress: ({ done }) => {
        if (done === 4) restarted ??= kube.kill().then(() => kube.start());
      },
      note: () => undefined,
    };
    const writes = await writesDuring(() => applyObjects(api, objects, { report }));
    await restarted;
    // The one in flight may have been stored without being noted, or noted twice.
    expect(new Set(writes).size).toBeGreaterThanOrEqual(11);
    expect(writes.length).toBeLessThanOrEqual(13);
    expect((await planObjects(api, objects)).every(({ action }) => action === 'same')).toBe(true);
  });

  test('that stays away in mid-apply is an error that says what to do, and the same apply completes later', async () => {
    const objects = Array.from({ length: 8 }, (_, index) => aConfigMap(`away-${String(index)}`, { index: String(index) }));
    const hasty = await createClusterApi({ kubeconfig: kube.kubeconfig, patience: 1_500 });
    let killed: Promise<void> | undefined;
    const report: Report = {
      progress: ({ done }) => {
        if (done === 3) killed ??= kube.kill();
      },
      note: () => undefined,
    };
    await expect(applyObjects(hasty, objects, { report })).rejects.toThrowWithCode(
      'E_CLUSTER',
      'the same command goes on from there',
    );
    await killed;
    const stranger = await createClusterApi({ kubeconfig: kube.kubeconfig, patience: 500 });
    await expect(stranger.version()).rejects.toThrowWithCode('E_CLUSTER', 'does not answer');
    await stranger.close();
    await kube.start();
    const writes = await writesDuring(() => applyObjects(hasty, objects));
    expect(writes.length).toBeLessThan(8);
    for (const { metadata } of objects) {
      const ref = { apiVersion: 'v1', kind: 'ConfigMap', name: metadata.name, namespace: 'default' };
      expect(fieldAt(await api.get(ref), 'data', 'index')).toBe(metadata.name.slice('away-'.length));
    }
    await hasty.close();
  });

  test('is not waited for any longer once the person interrupts', async () => {
    const interrupt = new AbortController();
    const reason = new Error('interrupted');
    await kube.kill();
    const version = api.version(interrupt.signal);
    setTimeout(() => {
      interrupt.abort(reason);
    }, 300);
    await expect(version).rejects.toBe(reason);
    await kube.start();
  });
});

/** A byte stream that is no socket, as an SSH channel is none. */
function tunnelTo(port: number): Duplex {
  const [near, far] = duplexPair();
  const socket = connect(port, '127.0.0.1');
  pipeline(far, socket, () => undefined);
  pipeline(socket, far, () => undefined);
  return near;
}
