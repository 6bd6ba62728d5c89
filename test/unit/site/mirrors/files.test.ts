import { describe, expect, it } from 'vitest';
import { closedMirrorFiles, mirrorFiles, type MirrorOptions } from '../../../../src/site/mirrors/files.ts';

const options: MirrorOptions = {
  sourceHosts: ['registry.k8s.io', 'docker.io', 'dockerhub.kubekey.local', 'gcr.io:5000'],
  registryHost: 'dockerhub.kubekey.local',
  caPem: '-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n',
  naming: (host) => host.replace(':', '-'),
};

describe('mirror files', () => {
  it('of a site without a registry lead to a port where nobody but root could ever listen, and never upstream', () => {
    const [file, ...others] = closedMirrorFiles(['registry.k8s.io', 'gcr.io:5000', 'registry.k8s.io']);
    expect(file?.path).toBe('/etc/containerd/certs.d/gcr.io_5000_/hosts.toml');
    expect(others.map(({ path }) => path)).toEqual(['/etc/containerd/certs.d/registry.k8s.io/hosts.toml']);
    expect(file?.content.match(/https?:\/\/[^"]*/g)).toEqual(['http://127.0.0.1:1', 'http://127.0.0.1:1']);
    expect(file?.content).toContain('capabilities = ["push"]');
  });

  it('send a source host to its project, and nowhere else', () => {
    const file = mirrorFiles(options).find(({ path }) => path.includes('registry.k8s.io'));
    expect(file).toEqual({
      path: '/etc/containerd/certs.d/registry.k8s.io/hosts.toml',
      mode: 0o644,
      content: `# written by deliver; changes are overwritten
server = "https://dockerhub.kubekey.local"
capabilities = ["push"]
ca = "/etc/containerd/certs.d/deliver-dockerhub.kubekey.local-ca.crt"

[host."https://dockerhub.kubekey.local/v2/registry.k8s.io"]
  capabilities = ["pull", "resolve"]
  override_path = true
  ca = "/etc/containerd/certs.d/deliver-dockerhub.kubekey.local-ca.crt"
`,
    });
  });

  it('leave the paths of the registry itself as they are', () => {
    const content = mirrorFiles(options).find(({ path }) => path.includes('/dockerhub.kubekey.local/'))?.content;
    expect(content).toContain('[host."https://dockerhub.kubekey.local"]');
    expect(content).not.toContain('override_path');
  });

  it('bring the CA first, since the others name it', () => {
    const [ca] = mirrorFiles(options);
    expect(ca?.path).toBe('/etc/containerd/certs.d/deliver-dockerhub.kubekey.local-ca.crt');
    expect(ca?.content).toMatch(/^# written by deliver.*\n-----BEGIN CERTIFICATE-----/);
  });

  it('name folders of hosts with a port without a colon', () => {
    const paths = mirrorFiles({ ...options, registryHost: 'harbor.site:8443' }).map(({ path }) =>
      path.replace('/etc/containerd/certs.d/', ''),
    );
    expect(paths).toEqual([
      'deliver-harbor.site_8443_-ca.crt',
      'docker.io/hosts.toml',
      'dockerhub.kubekey.local/hosts.toml',
      'gcr.io_5000_/hosts.toml',
      'harbor.site_8443_/hosts.toml',
      'registry.k8s.io/hosts.toml',
    ]);
  });

  it('use plain HTTP without any TLS setting, which would make containerd try HTTPS first', () => {
    const files = mirrorFiles({ ...options, plainHttp: true });
    expect(files.some(({ path }) => path.endsWith('.crt'))).toBe(false);
    expect(files[0]?.content).toContain('[host."http://dockerhub.kubekey.local/v2/docker.io"]');
    expect(files.every(({ content }) => !content.includes('ca ='))).toBe(true);
  });

  it('do not depend on the order of the lock', () => {
    expect(mirrorFiles({ ...options, sourceHosts: options.sourceHosts.toReversed() })).toEqual(mirrorFiles(options));
  });
});
