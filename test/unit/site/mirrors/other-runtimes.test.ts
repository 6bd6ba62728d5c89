import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { crioFiles, registriesYaml } from '../../../../src/site/mirrors/other-runtimes.ts';

const options = {
  sourceHosts: ['docker.io', 'quay.io'],
  registryHost: 'harbor.site',
  caPem: 'PEM',
  naming: (host: string) => `all/${host}`,
};

it('sends CRI-O to the site’s registry for every source host, and never upstream', () => {
  const [ca, conf] = crioFiles(options);
  expect(ca?.path).toBe('/etc/containers/certs.d/harbor.site/ca.crt');
  expect(conf?.content).toContain('prefix = "docker.io"\nlocation = "harbor.site/all/docker.io"');
  expect(conf?.content).toContain('prefix = "harbor.site"\nlocation = "harbor.site"\n');
  expect(conf?.content).not.toContain('mirror');
});

it('gives k3s its mirrors with a rewrite, and keeps what others wrote', () => {
  const existing =
    'mirrors:\n  ghcr.io: { endpoint: ["https://other"] }\nconfigs:\n  harbor.site: { auth: { username: u, password: p } }\n';
  const file = registriesYaml('k3s', options, existing).at(-1);
  expect(file).toMatchObject({ path: '/etc/rancher/k3s/registries.yaml', mode: 0o600 });
  expect(parse(file?.content ?? '')).toEqual({
    mirrors: {
      'ghcr.io': { endpoint: ['https://other'] },
      'docker.io': { endpoint: ['https://harbor.site'], rewrite: { '^(.*)$': 'all/docker.io/$1' } },
      'quay.io': { endpoint: ['https://harbor.site'], rewrite: { '^(.*)$': 'all/quay.io/$1' } },
    },
    configs: { 'harbor.site': { auth: { username: 'u', password: 'p' }, tls: { ca_file: '/etc/rancher/k3s/deliver-ca.crt' } } },
  });
});

it('writes the same file again when given its own: nothing is restarted twice', () => {
  const first = registriesYaml('rke2', options, undefined).at(-1)?.content;
  expect(registriesYaml('rke2', options, first).at(-1)?.content).toBe(first);
});

it('does not touch a registries.yaml that can’t be read', () => {
  expect(() => registriesYaml('k3s', options, 'mirrors: [')).toThrowWithCode('E_HOST', 'can’t be read');
});
