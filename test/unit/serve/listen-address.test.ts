import { expect, it } from 'vitest';
import { hostsToml } from '../../../src/serve/hosts-toml.ts';
import { parseListenAddress } from '../../../src/serve/listen-address.ts';

it.each([
  ['127.0.0.1:5000', { host: '127.0.0.1', port: 5000 }],
  ['registry.site:443', { host: 'registry.site', port: 443 }],
  ['[::1]:0', { host: '::1', port: 0 }],
  [':5000', { host: '0.0.0.0', port: 5000 }],
  ['5000', { host: '127.0.0.1', port: 5000 }],
])('listens on %s', (text, expected) => {
  expect(parseListenAddress(text)).toEqual(expected);
});

it.each(['', 'host', 'host:', 'host:70000', '::1:5000', 'a b:1', 'http://host:1', 'host:1/x'])('refuses %s', (text) => {
  expect(() => parseListenAddress(text)).toThrowWithCode('E_USAGE');
});

it('never lets containerd ask upstream, and names the CA only where there is TLS', () => {
  expect(hostsToml('http://10.0.0.1:5000').lines.join('\n')).toBe(
    [
      'server = "http://10.0.0.1:5000"',
      'capabilities = ["push"]',
      '',
      '[host."http://10.0.0.1:5000"]',
      '  capabilities = ["pull", "resolve"]',
    ].join('\n'),
  );
  expect(hostsToml('https://10.0.0.1:5000').lines.at(-1)).toContain('ca = ');
});
