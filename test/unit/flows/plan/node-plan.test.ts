import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NO_STYLE } from '../../../../src/cli/style.ts';
import { viewPlan } from '../../../../src/cli/views/plan.ts';
import { nodePlans } from '../../../../src/flows/plan/node-plan.ts';
import type { NodePlan, PlanResult } from '../../../../src/flows/plan/types.ts';
import type { Site } from '../../../../src/manifest/site-schema.ts';
import { STATE_FOLDER } from '../../../../src/site/host/record.ts';
import { mirrorSummary, planMirrors, writeMirrors, type NodeMirrors } from '../../../../src/site/mirrors/mirrors.ts';
import { MIRROR_RELOAD, registriesYaml } from '../../../../src/site/mirrors/other-runtimes.ts';
import type { HostConnection, HostConnector } from '../../../../src/ssh/port.ts';
import { barePlan, bareSite } from '../../../support/bare-plan.ts';
import { localHosts } from '../../../support/local-host.ts';
import { scriptedHosts } from '../../../support/scripted-hosts.ts';

const NOT_READ = 'mirrors that a run which was cut off wrote are not read yet';
const names = ['cp1', 'w1', 'reg1'].map((name, index) => ({ name, address: `10.89.3.${String(11 + index)}` }));
const site = (kind: NonNullable<Site['runtime']>['kind']): Site => ({ ...bareSite(names), runtime: { kind } });

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'deliver-node-plan-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

/** This machine as several k3s nodes: its files and the state of deliver in a folder for each. */
function k3sHosts(): HostConnector {
  const local = localHosts();
  const connect = async (name: string): Promise<HostConnection> => {
    const connection = await local.connect(name);
    const at = (path: string): string => join(root, name, path);
    return {
      ...connection,
      run: (command, options) =>
        connection.run(
          command.replaceAll(STATE_FOLDER, at(STATE_FOLDER)).replaceAll('/etc/rancher', at('/etc/rancher')),
          options ?? {},
        ),
      writeFile: (path, content, mode) => connection.writeFile(at(path), content, mode ?? 0o644),
    };
  };
  return { ...local, connect };
}

const files = registriesYaml(
  'k3s',
  { sourceHosts: ['docker.io'], registryHost: 'harbor.site', naming: (host) => host },
  undefined,
);
/** What a plan finds there, with `reload` for the shell that an install would run. */
async function look(hosts: HostConnector, reload: string): Promise<NodeMirrors[]> {
  return (await planMirrors(hosts, ['cp1', 'w1'], files)).map((node) => ({ ...node, reload }));
}
const plans = async (hosts: HostConnector): Promise<NodePlan[]> => nodePlans(await look(hosts, 'true'), site('k3s'));

async function shown(nodes: readonly NodePlan[]): Promise<string[]> {
  const plan: PlanResult = { ...(await barePlan(bareSite(names), scriptedHosts(), '/nonexistent')), nodes };
  const { kubernetes: _, ...build } = plan.build;
  const paths = { bundle: 'suite.tar', site: 'plant-7.yaml' };
  return viewPlan({ ...plan, build: { ...build, hosts: [], runtime: [] } }, paths, { style: NO_STYLE, width: 80 });
}

describe('a plan for nodes with k3s', () => {
  it('says which ones are restarted because their mirrors change', async () => {
    const nodes = await plans(k3sHosts());
    expect(nodes.map(({ reload }) => reload)).toEqual([
      { does: 'restart k3s', due: false },
      { does: 'restart k3s', due: false },
    ]);
    const text = (await shown(nodes)).join('\n');
    expect(text).toContain('cp1, w1: each 1 mirror file, restart k3s');
    expect(text).not.toContain(NOT_READ);
  });

  it('says after a run that was cut off what the next one restarts, though no file differs any more; then nothing', async () => {
    const hosts = k3sHosts();
    await writeMirrors(hosts, (await look(hosts, 'true')).slice(0, 1));
    // The restart of w1 does not work.
    await expect(writeMirrors(hosts, await look(hosts, 'false'))).rejects.toThrowWithCode('E_HOST', 'did not take');

    const nodes = await plans(hosts);
    expect(nodes).toEqual([
      { host: 'cp1', files: [] },
      { host: 'w1', files: [], reload: { does: 'restart k3s', due: true } },
    ]);
    const lines = await shown(nodes);
    expect(lines.join('\n')).toContain('w1: restart k3s\n');
    expect(lines.join('\n').replace(/\s+/g, ' ')).toContain(`w1: restart k3s w1: ${NOT_READ}`);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);

    expect(mirrorSummary(await writeMirrors(hosts, await look(hosts, 'true')))).toBe('w1: mirrors of the run before read');
    expect(await plans(hosts)).toEqual([
      { host: 'cp1', files: [] },
      { host: 'w1', files: [] },
    ]);
  });
});

it('a plan says nothing of a runtime that reads its mirrors at every pull, nor where nothing tells one', async () => {
  const hosts = k3sHosts();
  mkdirSync(join(root, 'w1', STATE_FOLDER), { recursive: true });
  writeFileSync(join(root, 'w1', STATE_FOLDER, 'mirrors-due'), '');
  const found = await planMirrors(hosts, ['w1'], files);
  expect(found[0]?.due).toBe(true);
  expect(nodePlans(found, site('containerd'))[0]).not.toHaveProperty('reload');
  expect(nodePlans(found, site('k3s'))[0]).not.toHaveProperty('reload');
  const told = found.map((node) => ({ ...node, reload: MIRROR_RELOAD.crio }));
  expect(nodePlans(told, site('crio'))[0]?.reload).toEqual({ does: 'reload CRI-O', due: true });
});
