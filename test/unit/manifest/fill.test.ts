import { describe, expect, it } from 'vitest';
import { fillSite, fillVersions } from '../../../src/manifest/fill.ts';
import { loadSite } from '../../../src/manifest/load-site.ts';
import type { Site } from '../../../src/manifest/site-schema.ts';
import { app, loadedRelease } from '../../support/releases.ts';

const SITE: Site = {
  apiVersion: 'deliver/v1',
  kind: 'Site',
  metadata: { name: 'plant-7' },
  storageClass: 'fast',
  externals: { redis: [{ ip: '10.0.0.3' }] },
  values: { port: 8080, on: true },
};

describe('filling in a release', () => {
  it('puts versions in and leaves the rest for the site', async () => {
    const { release } = await loadedRelease({
      versions: { web: '7' },
      apps: [app({ image: 'a.b/web:${versions.web}', env: { A: '${site.values.port} $${X}' } })],
    });
    const [web] = fillVersions(release).apps ?? [];
    expect(web?.image).toBe('a.b/web:7');
    expect(web?.env).toEqual({ A: '${site.values.port} $${X}' });
  });

  it('puts lists, numbers and switches of the site where the release wants them', async () => {
    const { release } = await loadedRelease({
      externals: [{ name: 'redis', namespace: 'p', ports: [{ port: 6379 }], addresses: '${site.externals.redis}' }],
      apps: [app({ env: { PORT: '${site.values.port}', ON: '${site.values.on}' }, secrets: { P: '${secret.db}' } })],
    });
    const filled = fillSite(fillVersions(release), SITE);
    expect(filled.externals?.[0]?.addresses).toEqual([{ ip: '10.0.0.3' }]);
    expect(filled.apps?.[0]?.env).toEqual({ PORT: '8080', ON: 'true' });
    expect(filled.apps?.[0]?.secrets).toEqual({ P: '${secret.db}' });
  });

  it('says what the site file lacks', async () => {
    const volumes = [{ name: 'v', mount: '/v', claim: { size: '1Gi', storageClass: '${site.storageClass}' } }];
    const { release } = await loadedRelease({ apps: [app({ volumes })] });
    const { storageClass: _, ...bare } = SITE;
    expect(() => fillSite(release, bare)).toThrowWithCode(
      'E_VARIABLE',
      'apps[0].volumes[0].claim.storageClass: ${site.storageClass} is needed, but the file of site plant-7 does not set storageClass',
    );
  });

  it('refuses a value that does not fit its place', async () => {
    const { release } = await loadedRelease({ apps: [app({ env: { A: '${site.externals}' } })] });
    expect(() => fillSite(release, SITE)).toThrowWithCode('E_SCHEMA', 'apps[0].env.A: must be text');
  });

  it('fits the samples together', async () => {
    const { loadRelease } = await import('../../../src/manifest/load-release.ts');
    const { release } = await loadRelease('manifests/gatekeeper-suite.yaml');
    const { site } = await loadSite('manifests/plant-7.site.yaml');
    const filled = fillSite(fillVersions(release), site);
    expect(filled.apps?.[0]?.ingress?.map(({ host, port }) => [host, port])).toEqual([
      ['gatekeeper.project.10.86.67.11.nip.io', 8000],
      ['gatekeeper.project.10.86.68.66.nip.io', 8080],
    ]);
  });
});
