import { expect, it } from 'vitest';
import { SILENT } from '../../../../src/core/report.ts';
import { planFoundation } from '../../../../src/flows/plan/foundation-plan.ts';
import { barePorts, bareSession, bareSite } from '../../../support/bare-plan.ts';
import { scriptedHosts } from '../../../support/scripted-hosts.ts';

it('names all that a release lacks for the registry at once: each costs a way back to the connected side', async () => {
  const plain = bareSite(['cp1', 'w1', 'reg1'].map((name, index) => ({ name, address: `10.89.3.${String(11 + index)}` })));
  const { registry } = plain;
  if (registry === undefined) throw new Error('a site with a registry');
  const site = { ...plain, registry: { ...registry, install: { kind: 'harbor' as const } } };
  const ports = barePorts(site, scriptedHosts(), '/nonexistent');
  const planned = planFoundation(await bareSession(site), ports, SILENT, new AbortController().signal);
  await expect(planned).rejects.toMatchObject({
    code: 'E_PREFLIGHT',
    facts: {
      what: expect.stringContaining('the release doesn’t carry harbor, docker, docker-compose.') as string,
      fix: expect.stringContaining(
        'add harbor: <version>, docker: <version>, docker-compose: <version> to kubernetes.components',
      ) as string,
    },
  });
});
