import { describe, expect, it } from 'vitest';
import { interpolate } from '../../../src/manifest/interpolate.ts';

const site = {
  storageClass: 'fast',
  ingress: { addresses: ['10.0.0.1', '10.0.0.2'] },
  externals: { redis: [{ ip: '10.0.0.3' }] },
  port: 80,
};

describe('interpolate', () => {
  it.each([
    ['${versions.web}', '1.2'],
    ['a:${versions.web}-${versions.web}', 'a:1.2-1.2'],
    ['x.${site.ingress.addresses[1]}.nip.io', 'x.10.0.0.2.nip.io'],
    ['x.${site.ingress.addresses.1}.nip.io', 'x.10.0.0.2.nip.io'],
    ['${site.externals.redis}', [{ ip: '10.0.0.3' }]],
    ['${site.port}', 80],
    ['p${site.port}', 'p80'],
    ['${outputs.base.clusterIP}', '10.9.8.7'],
    ['${secret.a.b-c}', 's3cret'],
    ['$${versions.web} $$ $HOME $(POD)', '${versions.web} $$ $HOME $(POD)'],
  ])('makes of %s', (text, expected) => {
    const scopes = {
      versions: { web: '1.2' },
      site,
      outputs: { base: { clusterIP: '10.9.8.7' } },
      secret: { 'a.b-c': 's3cret' },
    };
    expect(interpolate({ deep: [text] }, scopes)).toEqual({ deep: [expected] });
  });

  it('leaves later scopes and escapes for later', () => {
    const text = '${versions.web} ${site.storageClass} $${HOME} ${secret.a}';
    const first = interpolate(text, { versions: { web: '1' } }, { leave: ['site', 'secret'] });
    expect(first).toBe('1 ${site.storageClass} $${HOME} ${secret.a}');
    const second = interpolate(first, { site }, { leave: ['secret'] });
    expect(interpolate(second, { secret: { a: 'x' } })).toBe('1 fast ${HOME} x');
  });

  it('says of every variable without a value where it stands, with a suggestion', () => {
    const value = {
      apps: [
        {
          env: {
            A: '${versions.wep}',
            B: '${site.ingress.adresses[0]}',
            C: '${vers.x}',
            D: 'a ${site.ingress} b',
            E: 'x ${versions.web',
          },
        },
      ],
    };
    expect(() => interpolate(value, { versions: { web: '1' }, site })).toThrowWithCode(
      'E_VARIABLE',
      'apps[0].env.A: ${versions.wep} has no value. Did you mean “web”?',
    );
    expect(() => interpolate(value, { versions: { web: '1' }, site })).toThrowWithCode('E_VARIABLE', 'Did you mean “addresses”?');
    expect(() => interpolate(value, { versions: { web: '1' }, site })).toThrowWithCode(
      'E_VARIABLE',
      '${vers.x} is not a variable here',
    );
    expect(() => interpolate(value, { versions: { web: '1' }, site })).toThrowWithCode(
      'E_VARIABLE',
      'does not fit inside a text',
    );
    expect(() => interpolate(value, { versions: { web: '1' }, site })).toThrowWithCode('E_VARIABLE', 'never ends');
  });

  it('finds nothing on prototypes', () => {
    expect(() => interpolate('${versions.constructor}', { versions: {} })).toThrowWithCode('E_VARIABLE');
    expect(() => interpolate('${site.values.__proto__.x}', { site: { values: {} } })).toThrowWithCode('E_VARIABLE');
  });
});
