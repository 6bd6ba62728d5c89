import { describe, expect, test } from 'vitest';
import { renderExternal } from '../../../src/apps/external.ts';
import { fieldAt } from '../../../src/cluster/fields.ts';
import type { External } from '../../../src/manifest/release-schema.ts';

function anExternal(more: Partial<External> = {}): External {
  return { name: 'db', namespace: 'project', ports: [{ port: 5432 }], addresses: [{ ip: '10.0.0.5' }], ...more };
}

describe('externals', () => {
  test('the slice has the port of the far side, named as the Service names it', () => {
    const ports: External['ports'] = [
      { name: 'sql', port: 5432, targetPort: 15432 },
      { name: 'dns', port: 53, protocol: 'UDP' },
    ];
    const [service, slice] = renderExternal(anExternal({ ports }), 'suite');
    expect(fieldAt(service, 'spec', 'ports')).toEqual([
      { name: 'sql', protocol: 'TCP', port: 5432, targetPort: 15432 },
      { name: 'dns', protocol: 'UDP', port: 53, targetPort: 53 },
    ]);
    expect(slice?.ports).toEqual([
      { name: 'sql', protocol: 'TCP', port: 15432 },
      { name: 'dns', protocol: 'UDP', port: 53 },
    ]);
    expect(fieldAt(service, 'spec', 'selector')).toBeUndefined();
  });

  test('each address family has a slice of its own, each address once', () => {
    const addresses = ['10.0.0.5', 'fd00::5', '10.0.0.6', '10.0.0.5'].map((ip) => ({ ip }));
    const [service, ...slices] = renderExternal(anExternal({ addresses }), 'suite');
    expect(fieldAt(service, 'spec', 'ipFamilyPolicy')).toBe('PreferDualStack');
    expect(slices.map(({ metadata, addressType, endpoints }) => [metadata.name, addressType, endpoints])).toEqual([
      ['db-deliver-ipv4', 'IPv4', ['10.0.0.5', '10.0.0.6'].map((ip) => ({ addresses: [ip], conditions: { ready: true } }))],
      ['db-deliver-ipv6', 'IPv6', [{ addresses: ['fd00::5'], conditions: { ready: true } }]],
    ]);
  });

  test.each([
    '127.0.0.1',
    '169.254.1.1',
    '::1',
    'fe80::1',
    '224.0.0.1',
    '0.0.0.0',
    '::ffff:10.0.0.5',
    'redis.site',
    '10.1',
    '010.0.0.1',
  ])('address %s is refused', (ip) => {
    expect(() => renderExternal(anExternal({ addresses: [{ ip }] }), 'suite')).toThrowWithCode('E_SCHEMA', ip);
  });

  test('several ports need names, and addresses must be known', () => {
    expect(() => renderExternal(anExternal({ ports: [{ port: 1 }, { port: 2 }] }), 'suite')).toThrowWithCode('E_SCHEMA');
    expect(() => renderExternal(anExternal({ addresses: '${site.externals.redis}' }), 'suite')).toThrowWithCode('E_VARIABLE');
  });
});
