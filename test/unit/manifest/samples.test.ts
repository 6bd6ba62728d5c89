import { expect, it } from 'vitest';
import { Secret } from '../../../src/core/secret.ts';
import { loadSite } from '../../../src/manifest/load-site.ts';
import { secretNameOf } from '../../../src/manifest/secrets.ts';
import { registrySettings } from '../../../src/site/registry/settings.ts';

it('the KubeKey Cluster in manifests/ says all that its registry is installed with; the password is the operator’s to choose', async () => {
  const { site, inlineSecrets } = await loadSite('manifests/kubekey-cluster.yaml');
  const asked: string[] = [];
  const secret = (variable: string): Secret => {
    asked.push(secretNameOf(variable));
    return new Secret('chosen');
  };
  expect(registrySettings(site, secret, {})).toMatchObject({ kind: 'distribution', on: 'reg1', account: { username: 'admin' } });
  expect(asked).toEqual(['registry']);
  expect([...(inlineSecrets ?? [])]).toEqual([]);
});
