import { describe, expect, it } from 'vitest';
import { registryChecks } from '../../../src/flows/preflight/registry.ts';
import type { Site } from '../../../src/manifest/site-schema.ts';
import { barePorts, bareSession, bareSite } from '../../support/bare-plan.ts';
import { scriptedHosts } from '../../support/scripted-hosts.ts';

const site = bareSite([
  { name: 'cp1', address: '10.89.3.11' },
  { name: 'reg1', address: '10.89.3.12' },
]);

describe('a registry that the same install makes', () => {
  const pull = async (of: Site) => {
    const ports = barePorts(of, scriptedHosts(), '/nonexistent');
    const checks = await registryChecks(await bareSession(of), ports, new AbortController().signal, () => undefined);
    return checks.find(({ id }) => id === 'pull-account');
  };

  it('is no reason for a warning where the nodes get its account in their mirrors', async () => {
    expect(await pull(site)).toMatchObject({ outcome: 'pass', found: 'deliver-nodes, in the mirrors of the nodes' });
  });

  it('is one where the cluster is somebody else’s, and says that the account can be made as well', async () => {
    const own = await pull({ ...site, cluster: { kubeconfig: './admin.conf' } });
    expect(own).toMatchObject({ outcome: 'warn' });
    expect(own?.fix).toContain('deliver makes that account in the same install');
  });
});
