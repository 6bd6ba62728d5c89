import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { renderApp } from '../../../src/apps/app.ts';
import { renderExternal } from '../../../src/apps/external.ts';
import type { KubeObject } from '../../../src/cluster/port.ts';
import { aContext, aRelease, GATEKEEPER } from '../../support/apps.ts';

async function seed(name: string): Promise<KubeObject> {
  const text = await readFile(new URL(`../../fixtures/seed-001/${name}.yaml`, import.meta.url), 'utf8');
  return parse(text, { version: '1.1' }) as KubeObject;
}

const ADDED = { 'app.kubernetes.io/managed-by': 'deliver', 'deliver-release': 'suite' };

/** The seed's object with the labels that deliver adds, the only difference that is allowed. */
function withLabels(object: KubeObject): KubeObject {
  return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...ADDED } } };
}

describe('the gatekeeper of the design document', () => {
  const objects = renderApp(GATEKEEPER, aContext({ ingress: { addresses: ['10.86.67.11', '10.86.68.66'] } }));
  const ofKind = (kind: string): KubeObject | undefined => objects.find((object) => object.kind === kind);

  test('is three objects and no more', () => {
    expect(objects.map(({ kind }) => kind)).toEqual(['Service', 'StatefulSet', 'Ingress']);
  });

  test.each([
    ['StatefulSet', 'statefulset'],
    ['Service', 'service'],
    ['Ingress', 'ingress'],
  ])('its %s is the document’s, labels aside', async (kind, file) => {
    expect(ofKind(kind)).toEqual(withLabels(await seed(file)));
  });

  test('the labels that deliver adds are in no selector or pod template', () => {
    const text = JSON.stringify(objects.map(({ spec }) => spec));
    expect(text).not.toContain('managed-by');
    expect(text).not.toContain('deliver-release');
  });
});

describe('the external Redis of the design document', () => {
  const [service, slice] = (aRelease().externals ?? []).flatMap((external) => renderExternal(external, 'suite'));

  test('its Service is the document’s, labels aside', async () => {
    expect(service).toEqual(withLabels(await seed('redis-service')));
  });

  test('an EndpointSlice says what the document’s Endpoints say', async () => {
    const endpoints = await seed('redis-endpoints');
    const [subset] = endpoints.subsets as { addresses: { ip: string }[]; ports: { port: number }[] }[];
    expect(slice).toMatchObject({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: 'redis-cluster-deliver-ipv4',
        namespace: 'project',
        labels: { 'kubernetes.io/service-name': 'redis-cluster', 'endpointslice.kubernetes.io/managed-by': 'deliver' },
      },
      addressType: 'IPv4',
      endpoints: [{ addresses: subset?.addresses.map(({ ip }) => ip), conditions: { ready: true } }],
      ports: [{ name: '', port: subset?.ports[0]?.port, protocol: 'TCP' }],
    });
  });
});
