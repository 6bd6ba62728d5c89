import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NO_STYLE } from '../../src/cli/style.ts';
import { viewPlan } from '../../src/cli/views/plan.ts';
import type { PlanResult } from '../../src/flows/plan/types.ts';
import { Secret } from '../../src/core/secret.ts';
import { createConnector } from '../../src/ssh/connector.ts';
import type { HostConnector } from '../../src/ssh/port.ts';
import { barePlan, bareSite } from '../support/bare-plan.ts';
import { describeUnless } from '../support/describe-unless.ts';
import { startSshd, whyNoSshd, type Sshd } from '../support/sshd.ts';

/** This machine as a host that systemd runs and nobody has prepared: folders of their own over those that matter, read-only looks. */
const BARE = [
  'mount -t tmpfs none /run',
  'mkdir -p /run/systemd/system',
  'for p in containerd runc kubelet kubeadm kubectl etcd crictl helm; do [ ! -x /usr/bin/$p ] || mount --bind /dev/null /usr/bin/$p; done',
  'for d in /etc/kubernetes /etc/containerd /var/lib/deliver /var/lib/etcd; do [ ! -d $d ] || mount -t tmpfs none $d; done',
].join(' && ');
const paths = { bundle: 'bundles/bare-site-1.34.4.tar', site: 'plant-7.yaml' };

function whyNot(): string | undefined {
  if (process.platform !== 'linux') return 'not Linux';
  const tried = spawnSync('unshare', ['--mount', 'sh', '-c', BARE]);
  return whyNoSshd() ?? (tried.status === 0 ? undefined : 'no mount namespaces here');
}
const missing = whyNot();

describeUnless(missing, 'a plan for bare hosts', () => {
  let sshd: Sshd;
  let root: string;
  const open: HostConnector[] = [];

  beforeAll(async () => {
    const command = `unshare --mount sh -c '${BARE} && exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"'`;
    sshd = await startSshd({ config: ['MaxStartups 200', 'MaxSessions 100', `ForceCommand ${command}`] });
    root = mkdtempSync(join(tmpdir(), 'deliver-plan-'));
  });
  afterAll(async () => {
    await Promise.all(open.splice(0).map((connector) => connector.close()));
    await sshd.stop();
    rmSync(root, { recursive: true });
  });

  const plan = async (...names: readonly string[]): Promise<PlanResult> => {
    const hosts = names.map((name, index) => sshd.host(name, { internalAddress: `10.89.3.${String(11 + index)}` }));
    const secrets = (variable: string) => new Secret(`value of ${variable}`);
    const connector = createConnector({ hosts, folder: root, knownHostsPath: join(root, 'known_hosts'), secrets });
    open.push(connector);
    return barePlan(bareSite(hosts), connector, root);
  };

  it('says what three hosts get, in the order of the install, on a screen of 80 by 26; nothing is changed there', async () => {
    const found = await plan('cp1', 'w1', 'reg1');
    const lines = viewPlan(found, paths, { style: NO_STYLE, width: 80 });
    expect(lines.length).toBeLessThanOrEqual(26);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    const shown = lines.join('\n').replace(/\s+/g, ' ');
    expect(shown).toMatch(/1 Hosts cp1, w1: each kubeadm, kubelet and kubectl v1\.34\.4 \(194 MB\), 1 unit/);
    expect(shown).toContain('2 Runtime cp1, w1: each 4 programs (117 MB), 1 unit, 2 files 3');
    expect(shown).toContain('3 Registry host reg1: registry v3.0.0 (24 MB), private CA and certificate made, 1 unit, 2 files');
    expect(shown).toContain('4 Registry push 6 images, 325 MB, into the new registry');
    expect(shown).toContain('5 Mirrors cp1, w1: each 5 mirror files');
    expect(shown).toContain('6 Kubernetes v1.34.4, made by kubeadm cp1: becomes the first control plane w1: joins as worker');
    expect(shown).toContain('7 Add-ons network (6 objects)');
    // The operator’s own folder: a CA that is only planned is not remembered.
    expect(readdirSync(root, { recursive: true }).filter((name) => String(name).endsWith('.crt'))).toEqual([]);
  });
});
