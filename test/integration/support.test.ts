import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createClusterApi } from '../../src/cluster/kube-client.ts';
import { SILENT } from '../../src/core/report.ts';
import { clusterChecks, lookAtCluster } from '../../src/site/check/upgrade.ts';
import { openArchive } from '../../src/site/support/archive.ts';
import { collectCluster } from '../../src/site/support/cluster.ts';
import { collectHosts } from '../../src/site/support/hosts.ts';
import { createConnector } from '../../src/ssh/connector.ts';
import { describeUnless } from '../support/describe-unless.ts';
import { startKubeApi, whyNoKubernetes, type KubeApiServer } from '../support/kube-api.ts';
import { deliver } from '../support/cli.ts';
import { freePort, startSshd, whyNoSshd, type Sshd } from '../support/sshd.ts';

const noSshd = whyNoSshd();
const noKube = await whyNoKubernetes();
const signal = new AbortController().signal;
/** Grepped for afterwards: it must be nowhere. */
const PLANTED = 'Pl4nted-Secret-77';
const SITE_SECRET = 'correct horse battery';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'deliver-support-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Everything in the archive as one text, unpacked by the tar of this machine. */
function contentOf(archive: string): string {
  const ran = spawnSync('tar', ['-xzOf', archive], { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (ran.status !== 0) throw new Error(ran.stderr);
  return ran.stdout;
}

function namesOf(archive: string): string[] {
  return spawnSync('tar', ['-tzf', archive], { encoding: 'utf8' }).stdout.trim().split('\n');
}

describeUnless(noSshd, 'support over a real sshd', { timeout: 180_000 }, () => {
  let sshd: Sshd;

  beforeAll(async () => {
    // What a host would say, with secrets wherever one may be; sshd itself is the real one.
    const programs = join(folder, 'bin');
    mkdirSync(programs);
    const says = (name: string, text: string): void => {
      writeFileSync(join(programs, name), `#!/bin/sh\ncat <<'END'\n${text}\nEND\n`);
      chmodSync(join(programs, name), 0o755);
    };
    says(
      'journalctl',
      [
        `Nov 22 kubelet: failed to pull registry.site/app:1`,
        `Nov 22 kubeadm join lb:6443 --token abcdef.${PLANTED.toLowerCase()
          .replace(/[^a-z0-9]/g, '')
          .slice(0, 16)
          .padEnd(16, '0')} --certificate-key ${PLANTED}`,
        `Nov 22 dockerd: GET https://robot:${PLANTED}@registry.site/v2/`,
        `Nov 22 app: {"msg":"{\\"password\\":\\"${PLANTED}\\"}"}`,
        `Nov 22 app: Authorization: Basic ${PLANTED}`,
        `Nov 22 app: the password of the site is ${SITE_SECRET}`,
        `Nov 22 app: as kubernetes has it ${Buffer.from(SITE_SECRET).toString('base64')}`,
      ].join('\n'),
    );
    says('systemctl', `Environment=SMTP_PASSWORD=${PLANTED}\nEnvironment=HTTPS_PROXY=http://proxy:${PLANTED}@10.0.0.1:3128`);
    says('containerd', `[plugins.registry.configs."r".auth]\n  password = "${PLANTED}"\n  auth = "${PLANTED}"`);
    says(
      'crictl',
      `-----BEGIN RSA PRIVATE KEY-----\n${PLANTED}\n-----END RSA PRIVATE KEY-----\n  - name: API_TOKEN\n    value: ${PLANTED}`,
    );
    sshd = await startSshd({
      env: { PATH: `${programs}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin` },
    });
  });
  afterAll(() => sshd.stop());

  it('has no planted secret in it, lists what was taken out, and says which host is missing', async () => {
    const dead = await freePort();
    const site = join(folder, 'site.yaml');
    const hosts = [
      { ...sshd.host('cp1'), password: '${secret.ssh}' },
      { ...sshd.host('gone'), port: dead },
    ];
    writeFileSync(
      site,
      JSON.stringify({ apiVersion: 'deliver/v1', kind: 'Site', metadata: { name: 'p7' }, secrets: 'secrets.yaml', hosts }),
    );
    writeFileSync(join(folder, 'secrets.yaml'), `ssh: ${SITE_SECRET}\n`, { mode: 0o600 });
    const output = join(folder, 'p7.tar.gz');
    const ran = await deliver(['support', '--site', site, '--output', output], folder);
    expect(ran.exitCode, ran.stderr).toBe(0);
    expect(statSync(output).mode & 0o777).toBe(0o600);

    const text = contentOf(output);
    for (const secret of [
      PLANTED,
      SITE_SECRET,
      Buffer.from(SITE_SECRET).toString('base64'),
      readFileSync(sshd.key, 'utf8').split('\n')[1] ?? '',
    ])
      expect(text).not.toContain(secret);
    expect(text).toContain('failed to pull registry.site/app:1');
    for (const rule of [
      'private key',
      'Authorization header',
      'account in a URL',
      'join command',
      'secret of the site',
      'variable with a telling name',
    ])
      expect(text).toMatch(new RegExp(`^ +\\d+  ${rule} +hosts/cp1/`, 'm'));
    expect(namesOf(output)).toEqual(
      expect.arrayContaining(['hosts/cp1/kubelet.log', 'hosts/gone/UNREACHABLE.txt', 'cluster/UNREACHABLE.txt', 'REDACTED.txt']),
    );
    // A host that is missing is told once, with the result.
    expect(ran.stdout.split('! gone: ')).toHaveLength(2);
    expect(ran.stdout.split('! cluster: ')).toHaveLength(2);
  });

  it('keeps the end of an endless log, from a whole line on', async () => {
    const noisy = join(folder, 'noisy');
    mkdirSync(noisy);
    writeFileSync(
      join(noisy, 'journalctl'),
      `#!/bin/sh\ncase "$*" in *kubelet*) ;; *) exit 0;; esac\nyes "password=${PLANTED} and so on" | head -n 100000; echo the last line\n`,
      { mode: 0o755 },
    );
    const other = await startSshd({ env: { PATH: `${noisy}:/usr/sbin:/usr/bin:/sbin:/bin` } });
    const connector = createConnector({
      hosts: [other.host('cp1')],
      folder,
      knownHostsPath: join(folder, 'known_hosts'),
      secrets: () => {
        throw new Error('no secret is needed');
      },
    });
    try {
      const path = join(folder, 'noisy.tar.gz');
      const archive = openArchive(path);
      const [host] = await collectHosts(connector, [other.host('cp1')], archive, 24, SILENT, signal);
      expect(host?.problem).toBeUndefined();
      await archive.finish();
      const log = spawnSync('tar', ['-xzOf', path, 'hosts/cp1/kubelet.log'], { encoding: 'utf8', maxBuffer: 2 ** 26 }).stdout;
      expect(log.length).toBeLessThan(2 * 1024 ** 2 + 100);
      expect(log).toMatch(/^\[cut: only 2097152 bytes are kept\]\npassword=\*\*\* and so on\n/);
      expect(log).toMatch(/the last line\n$/);
      expect(log).not.toContain(PLANTED.slice(4));
    } finally {
      await connector.close();
      await other.stop();
    }
  });
});

describeUnless(noKube, 'a cluster that is looked at', { timeout: 120_000 }, () => {
  let kube: KubeApiServer;
  const apply = (object: unknown): Promise<string> => kube.kubectl(['apply', '-f', '-'], JSON.stringify(object));

  beforeAll(async () => {
    kube = await startKubeApi();
    const container = { name: 'a', image: 'x', env: [{ name: 'DB_PASSWORD', value: PLANTED }] };
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'project' } });
    await apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'w1' } });
    await kube.patchStatus('/api/v1/nodes/w1', {
      conditions: [{ type: 'Ready', status: 'True' }],
      nodeInfo: { kubeletVersion: 'v1.30.1' },
    });
    await apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', namespace: 'project' },
      stringData: { x: PLANTED },
    });
    await apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'own', namespace: 'project' }, data: { x: PLANTED } });
    await apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'lone', namespace: 'project', labels: { app: 'a' } },
      spec: { containers: [container] },
    });
    await apply({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'never', namespace: 'project' },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'a' } } },
    });
    await kube.patchStatus('/apis/policy/v1/namespaces/project/poddisruptionbudgets/never', {
      expectedPods: 1,
      desiredHealthy: 1,
      currentHealthy: 1,
      disruptionsAllowed: 0,
    });
    await apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'etcd-cp1',
        namespace: 'kube-system',
        labels: { component: 'etcd' },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'w1', uid: 'u' }],
      },
      spec: { containers: [{ name: 'etcd', image: 'registry.k8s.io/etcd:3.5.21-0' }] },
    });
  }, 90_000);
  afterAll(() => kube.stop(), 30_000);

  it('is told apart into what an upgrade would stumble over', async () => {
    const api = await createClusterApi({ kubeconfig: kube.kubeconfig });
    try {
      const look = await lookAtCluster(api, signal);
      const outcomes = async (from: string, to?: string): Promise<Record<string, string>> =>
        Object.fromEntries((await clusterChecks(look, from, to)).map(({ id, outcome }) => [id, outcome]));
      expect(await outcomes('v1.33.13', 'v1.34.4')).toEqual({
        'upgrade-path': 'pass',
        'nodes-ready': 'pass',
        'kubelet-skew': 'fail',
        'etcd-version': 'fail',
        'kubeadm-config': 'fail',
        'drain-budgets': 'fail',
        'lone-pods': 'fail',
      });
      expect(await outcomes('v1.31.1', 'v1.33.13')).toMatchObject({
        'upgrade-path': 'fail',
        'kubelet-skew': 'pass',
        'etcd-version': 'pass',
      });
      expect(await outcomes('v1.34.4', 'v1.34.4')).toEqual({ 'nodes-ready': 'pass' });
      const budgets = (await clusterChecks(look, 'v1.33.13', 'v1.34.4')).find(({ id }) => id === 'drain-budgets');
      expect(budgets?.found).toContain('project/never');
    } finally {
      await api.close();
    }
  });

  it('is in the archive without its secrets', async () => {
    const api = await createClusterApi({ kubeconfig: kube.kubeconfig });
    const path = join(folder, 'cluster.tar.gz');
    try {
      const archive = openArchive(path);
      await collectCluster(api, archive, signal);
      await archive.finish();
    } finally {
      await api.close();
    }
    const text = contentOf(path);
    expect(text).toContain('"name":"lone"');
    expect(text).not.toContain(PLANTED);
    expect(text).not.toContain(Buffer.from(PLANTED).toString('base64'));
    expect(namesOf(path)).not.toContain('cluster/Secret.jsonl');
  });
});
