import { describe, expect, test } from 'vitest';
import { renderApp } from '../../../src/apps/app.ts';
import { hostsFileLines } from '../../../src/apps/hosts-file.ts';
import { urlsOf } from '../../../src/apps/ingress.ts';
import { listAt, textAt } from '../../../src/cluster/fields.ts';
import type { KubeObject } from '../../../src/cluster/port.ts';
import type { App } from '../../../src/manifest/app-schema.ts';
import { aContext, anApp } from '../../support/apps.ts';

const ADDRESSES = ['10.86.67.11', '10.86.68.66'];
const PORTS = [
  { name: 'http', port: 8000 },
  { name: 'admin', port: 8080 },
];

function ingressOf(app: App, ingress: { class?: string; addresses: string[]; domain?: string }): KubeObject | undefined {
  return renderApp(app, aContext({ ingress })).find(({ kind }) => kind === 'Ingress');
}

describe('ingress', () => {
  test('nip.io stands for one host per ingress address of the site', () => {
    const app = anApp({ ports: PORTS, ingress: [{ host: 'nip.io', port: 8000 }] });
    const hosts = ['web.project.10.86.67.11.nip.io', 'web.project.10.86.68.66.nip.io'];
    expect(listAt(ingressOf(app, { addresses: ADDRESSES }), 'spec', 'rules').map((rule) => textAt(rule, 'host'))).toEqual(hosts);
    expect(urlsOf(app, { ingress: { addresses: ADDRESSES } })).toEqual(hosts.map((host) => `http://${host}`));
    expect(hostsFileLines(urlsOf(app, { ingress: { addresses: ADDRESSES } }), ADDRESSES)).toEqual([
      '10.86.67.11  web.project.10.86.67.11.nip.io',
      '10.86.68.66  web.project.10.86.68.66.nip.io',
    ]);
  });

  test('a site’s own wildcard domain takes the place of nip.io', () => {
    const app = anApp({ ports: PORTS, ingress: [{ host: 'nip.io', port: 8000 }] });
    expect(urlsOf(app, { ingress: { addresses: ['10.0.0.5'], domain: 'apps.plant7' } })).toEqual([
      'http://web.project.10.0.0.5.apps.plant7',
    ]);
  });

  test('all entries are rules of one Ingress, paths of one host together', () => {
    const app = anApp({
      ports: PORTS,
      ingress: [
        { host: 'web.site', port: 8000, tls: 'cert', annotations: { a: '1' } },
        { host: 'web.site', path: '/admin', pathType: 'Prefix', port: 'admin', tls: 'cert', annotations: { b: '2' } },
      ],
    });
    const backend = (port: object): object => ({ service: { name: 'web', port } });
    expect(ingressOf(app, { class: 'traefik', addresses: [] })).toMatchObject({
      metadata: { name: 'web', annotations: { a: '1', b: '2' } },
      spec: {
        ingressClassName: 'traefik',
        tls: [{ hosts: ['web.site'], secretName: 'cert' }],
        rules: [
          {
            host: 'web.site',
            http: {
              paths: [
                { path: '/', pathType: 'ImplementationSpecific', backend: backend({ number: 8000 }) },
                { path: '/admin', pathType: 'Prefix', backend: backend({ name: 'admin' }) },
              ],
            },
          },
        ],
      },
    });
    expect(urlsOf(app, { ingress: { addresses: [] } })).toEqual(['https://web.site', 'https://web.site/admin']);
  });

  test.each([
    ['a port that the app lacks', { ingress: [{ host: 'web.site', port: 9 }] }, ADDRESSES],
    [
      'the same host and path twice',
      {
        ingress: [
          { host: 'nip.io', port: 8000 },
          { host: 'nip.io', port: 8080 },
        ],
      },
      ADDRESSES,
    ],
    ['nip.io on a site without ingress addresses', { ingress: [{ host: 'nip.io', port: 8000 }] }, []],
    [
      'annotations that disagree',
      {
        ingress: [
          { host: 'a.site', port: 8000, annotations: { a: '1' } },
          { host: 'b.site', port: 8000, annotations: { a: '2' } },
        ],
      },
      [],
    ],
    [
      'a name out of which nip.io reads another address',
      { name: 'web-1-2-3-4', ingress: [{ host: 'nip.io', port: 8000 }] },
      ADDRESSES,
    ],
    [
      'a namespace of digits, which nip.io takes for an octet',
      { namespace: '7', ingress: [{ host: 'nip.io', port: 8000 }] },
      ADDRESSES,
    ],
  ])('%s is refused', (_, more, addresses) => {
    expect(() => ingressOf(anApp({ ports: PORTS, ...more }), { addresses })).toThrowWithCode('E_SCHEMA');
  });

  test('a name with a number in it is fine as long as nip.io reads the right address', () => {
    const app = anApp({ name: 'web-1', ports: PORTS, ingress: [{ host: 'nip.io', port: 8000 }] });
    expect(urlsOf(app, { ingress: { addresses: ['10.0.0.5'] } })).toEqual(['http://web-1.project.10.0.0.5.nip.io']);
  });
});
