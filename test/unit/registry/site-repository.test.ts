import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseReference } from '../../../src/core/reference.ts';
import { chartTag, siteChartRepository, siteFolder, siteRepository } from '../../../src/registry/site-repository.ts';

const SITE = { registryHost: 'harbor.plant7' };
const PROJECT = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

function placeOf(reference: string, site: { registryHost: string; project?: string } = SITE): string {
  return siteRepository(parseReference(reference), site).repository;
}

describe('a reference on site', () => {
  it('lies in a project named like its source host', () => {
    expect(siteRepository(parseReference('registry.k8s.io/coredns/coredns:v1.12.1'), SITE)).toEqual({
      project: 'registry.k8s.io',
      repository: 'registry.k8s.io/coredns/coredns',
    });
    expect(placeOf('busybox:1.36')).toBe('docker.io/library/busybox');
  });

  it('lies below one project where the site wants that', () => {
    expect(siteRepository(parseReference('quay.io/a/b:1'), { ...SITE, project: 'mirror' })).toEqual({
      project: 'mirror',
      repository: 'mirror/quay.io/a/b',
    });
  });

  it('keeps its path when its host is the site’s own registry', () => {
    const site = { registryHost: 'dockerhub.kubekey.local', project: 'mirror' };
    expect(placeOf('dockerhub.kubekey.local/project/gatekeeper:v362', site)).toBe('project/gatekeeper');
    expect(placeOf('DockerHub.KubeKey.local:443/project/gatekeeper:v362', site)).toBe('project/gatekeeper');
    expect(siteFolder('dockerhub.kubekey.local', site)).toBeUndefined();
  });

  it('turns the port of a host into a part of the name', () => {
    expect(placeOf('127.0.0.1:5000/a/b:1')).toBe('127.0.0.1-5000/a/b');
    expect(placeOf('Registry.Corp.example:8443/a:1')).toBe('registry.corp.example-8443/a');
  });

  it('gives every host a folder of its own that Harbor accepts', () => {
    const host = fc.stringMatching(/^[a-zA-Z0-9-]{1,6}(\.[a-z0-9-]{1,6}){0,2}(:[0-9]{1,5})?$/);
    fc.assert(
      fc.property(host, host, (one, other) => {
        const [a, b] = [siteFolder(one, SITE) ?? '', siteFolder(other, SITE) ?? ''];
        expect(a).toMatch(PROJECT);
        const same = one.toLowerCase().replace(/:443$/, '') === other.toLowerCase().replace(/:443$/, '');
        expect(a === b).toBe(same);
      }),
      { seed: 7, numRuns: 2000 },
    );
    const folders = ['a.b:5000', 'a.b-5000', 'xn--bcher-kva.example', '[::1]:5000', '[::1]'].map((name) =>
      siteFolder(name, SITE),
    );
    expect(new Set(folders).size).toBe(folders.length);
    for (const folder of folders) expect(folder).toMatch(PROJECT);
  });
});

it('puts charts beside the source hosts, tagged without “+”', () => {
  expect(siteChartRepository('nightingale', SITE)).toEqual({ project: 'charts', repository: 'charts/nightingale' });
  expect(siteChartRepository('nightingale', { ...SITE, project: 'mirror' })).toEqual({
    project: 'mirror',
    repository: 'mirror/charts/nightingale',
  });
  expect(chartTag('5.13.0+build.7')).toBe('5.13.0_build.7');
});

it('refuses a project name that Harbor would refuse', () => {
  expect(() => placeOf('quay.io/a/b:1', { ...SITE, project: 'My_Project' })).toThrowWithCode('E_REFERENCE', 'registry.project');
});
