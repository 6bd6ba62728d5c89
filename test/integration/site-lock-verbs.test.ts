import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createClusterApi } from '../../src/cluster/kube-client.ts';
import type { ClusterApi, KubeRef } from '../../src/cluster/port.ts';
import { siteLockHolder, takeSiteLock, type SiteLock } from '../../src/cluster/site-lock.ts';
import { DeliverError } from '../../src/core/errors.ts';
import { SILENT, type Flow, type Report } from '../../src/core/report.ts';
import { certsRenewFlow } from '../../src/flows/certs-renew.ts';
import { clusterPreflight } from '../../src/flows/preflight/cluster.ts';
import { resetFlow, type ResetResult } from '../../src/flows/reset.ts';
import type { SitePorts } from '../../src/flows/site-ports.ts';
import { SiteSchema, type Site } from '../../src/manifest/site-schema.ts';
import { createConnector } from '../../src/ssh/connector.ts';
import type { HostConnector } from '../../src/ssh/port.ts';
import { describeOnKube } from '../support/describe-on-kube.ts';
import { whyNoKubernetes, type KubeApiServer } from '../support/kube-api.ts';
import { runFlow } from '../support/run-flow.ts';
import { startPrivateHost, whyNoPrivateHost, type PrivateHost } from '../support/private-host.ts';

const missing = (await whyNoKubernetes()) ?? whyNoPrivateHost();
const NEVER = new AbortController().signal;
const LEASE: KubeRef = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  name: 'deliver-install',
  namespace: 'deliver-system',
};
const MINE = `process ${String(process.pid)}`;

describeOnKube('verbs that change a site', { missing }, (started) => {
  let kube: KubeApiServer;
  let api: ClusterApi;
  let box: PrivateHost;
  const folder = mkdtempSync(join(tmpdir(), 'deliver-lock-verbs-'));
  const open: { close(): Promise<void> }[] = [];
  const held: SiteLock[] = [];

  beforeAll(async () => {
    ({ kube, api } = started());
    box = await startPrivateHost();
  });

  afterEach(async () => {
    await Promise.all(held.splice(0).map((lock) => lock.release()));
    await api.delete(LEASE);
    await Promise.all(open.splice(0).map((one) => one.close()));
  });

  afterAll(async () => {
    await box.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Somebody else, who works on the site and goes on to. */
  const ann = async (): Promise<void> => {
    const options = { holder: 'ann@laptop, process 1, x', isDead: () => false, report: SILENT, signal: NEVER, renewEvery: 300 };
    held.push(await takeSiteLock(api, options));
  };
  const sshHosts = (): HostConnector => {
    const hosts = createConnector({
      hosts: [box.host('w1')],
      folder,
      knownHostsPath: join(folder, 'known_hosts'),
      secrets: () => {
        throw new Error('no secret is needed');
      },
    });
    open.push(hosts);
    return hosts;
  };
  const clusterOf =
    (kubeconfig: string, patience = 2_000) =>
    async (): Promise<ClusterApi> => {
      const own = await createClusterApi({ kubeconfig, patience });
      open.push(own);
      return own;
    };
  const portsOf = (site: Site, hosts: HostConnector, cluster = clusterOf(kube.kubeconfig)): SitePorts => {
    const ports: Partial<SitePorts> = {
      loaded: { site } as SitePorts['loaded'],
      hosts,
      cluster,
      // As in compose: what follows the end of a step finds the connections closed.
      close: async () => {
        await Promise.all(open.splice(0).map((one) => one.close()));
      },
    };
    return ports as SitePorts;
  };
  const resetOf = (ports: SitePorts): Flow<ResetResult> => resetFlow({ host: 'w1', remove: [] }, ports);
  const both = (hosts: HostConnector): readonly Flow<unknown>[] => [
    resetOf(portsOf(ITS_CLUSTER, hosts)),
    certsRenewFlow(portsOf(OWN_CLUSTER, hosts)),
  ];
  const holder = (): Promise<string | undefined> => siteLockHolder(api);

  test('reset and certs renew are refused while somebody works on the site, who is named, and reach no host', async () => {
    await ann();
    const hosts = hostsThat(() => Promise.reject(new Error('reached')));
    for (const flow of both(hosts)) {
      await expect(run(flow)).rejects.toThrowWithCode('E_SITE_BUSY', 'ann@laptop (process 1) works on this site since');
      expect(await holder()).toBe('ann@laptop (process 1)');
    }
  });

  test('reset holds the lock through all its steps and gives it back at the end', async () => {
    const hosts = sshHosts();
    const seen: (string | undefined)[] = [];
    const watched = hostsThat(async (name, signal) => {
      seen.push(await holder());
      return hosts.connect(name, signal);
    });
    const { notes, result } = await run(resetOf(portsOf(ITS_CLUSTER, watched)));
    expect(result.nothing).toBe(true);
    expect(seen.length).toBeGreaterThan(1);
    for (const who of seen) expect(who).toContain(MINE);
    expect(notes).toEqual([]);
    expect(await holder()).toBeUndefined();
  });

  test('the lock is given back when a step fails', async () => {
    const hosts = hostsThat(() => Promise.reject(new DeliverError('E_SSH', { what: 'w1 does not answer.' })));
    for (const flow of both(hosts)) {
      await expect(run(flow)).rejects.toThrowWithCode('E_SSH', 'w1 does not answer');
      expect(await holder()).toBeUndefined();
    }
  });

  test('the lock is given back when an interrupt stops the step that runs', async () => {
    const stop = new AbortController();
    const hosts = hostsThat(async () => {
      expect(await holder()).toContain(MINE);
      stop.abort(new Error('interrupted'));
      throw new Error('interrupted');
    });
    await expect(run(resetOf(portsOf(ITS_CLUSTER, hosts)), { signal: stop.signal })).rejects.toThrow('interrupted');
    expect(await holder()).toBeUndefined();
  });

  test('the lock is given back when an interrupt comes as a step is all but done, and no other follows', async () => {
    const stop = new AbortController();
    const hosts = hostsThat(async (name) => {
      const connection = await sshHosts().connect(name);
      stop.abort(new Error('interrupted'));
      return { ...connection, run: (command, { signal: _, ...options } = {}) => connection.run(command, options) };
    });
    await expect(run(resetOf(portsOf(ITS_CLUSTER, hosts)), { signal: stop.signal })).rejects.toThrow('interrupted');
    expect(await holder()).toBeUndefined();
  });

  test('a reset that takes the cluster away, and the lock with it, ends well', async () => {
    // Who waited for such a cluster would not be done when this test gives up.
    const patient = clusterOf(kube.kubeconfig, 600_000);
    const flow = resetOf(portsOf(ITS_CLUSTER, sshHosts(), patient));
    const [look, ...others] = flow.steps;
    await look?.run(SILENT, NEVER);
    expect(await holder()).toContain(MINE);
    await kube.kill();
    try {
      for (const step of others) await step.run(SILENT, NEVER);
      expect(flow.result().host).toBe('w1');
    } finally {
      await kube.start();
    }
  });

  test('where there is no cluster, or none was made yet, nothing is locked and nothing is said', async () => {
    const unasked = () => Promise.reject(new Error('asked'));
    expect((await run(resetOf(portsOf(NO_CLUSTER, sshHosts(), unasked)))).notes).toEqual([]);
    const notMade = () => Promise.reject(new DeliverError('E_KUBECONFIG', { what: 'cp1 has no admin.conf.' }));
    expect((await run(resetOf(portsOf(BESIDE_CLUSTER, sshHosts(), notMade)))).notes).toEqual([]);
    expect((await run(resetOf(portsOf(ITS_CLUSTER, sshHosts(), notMade)))).notes).toEqual([
      '! This site is not locked: cp1 has no admin.conf. Make sure that nobody else works on it.',
    ]);
  });

  test('a cluster that should answer and does not, or lets nobody in, is gone on without, and that is said', async () => {
    const expired = clusterOf(kube.kubeconfig.replace(kube.token, 'expired'));
    const unknown = 'This site is not locked: The cluster does not know the account of the kubeconfig.';
    const { notes } = await run(resetOf(portsOf(ITS_CLUSTER, sshHosts(), expired)));
    expect(notes).toEqual([expect.stringContaining(unknown)]);

    // Certificates that have ended are what certs renew is for.
    const reached = hostsThat(() => Promise.reject(new DeliverError('E_SSH', { what: 'w1 was reached.' })));
    const said: string[] = [];
    const report = { ...SILENT, note: (line: string) => said.push(line) };
    const renewed = run(certsRenewFlow(portsOf(OWN_CLUSTER, reached, expired)), { report });
    await expect(renewed).rejects.toThrowWithCode('E_SSH', 'w1 was reached');
    expect(said).toEqual([expect.stringContaining(unknown)]);

    const nobodyThere = clusterOf(kube.kubeconfig.replace(`127.0.0.1:${String(kube.port)}`, '127.0.0.1:1'));
    const silent = await run(resetOf(portsOf(ITS_CLUSTER, sshHosts(), nobodyThere)));
    expect(silent.notes).toEqual([expect.stringContaining('This site is not locked: The API server at 127.0.0.1:1')]);
  });

  test('a preflight tells certificates of deliver’s own cluster that have ended by code, why and fix', async () => {
    const expired = clusterOf(kube.kubeconfig.replace(kube.token, 'expired'));
    const ports = portsOf(
      OWN_CLUSTER,
      hostsThat(() => Promise.reject(new Error('reached'))),
      expired,
    );
    expect((await clusterPreflight('v1.34.4', true, ports, NEVER)).checks).toEqual([
      expect.objectContaining({
        outcome: 'fail',
        code: 'E_CLUSTER_AUTH',
        found: 'The cluster does not know the account of the kubeconfig. · Unauthorized',
        fix: expect.stringContaining('deliver certs renew') as string,
      }),
    ]);
  });
});

const BOX = {
  apiVersion: 'deliver/v1',
  kind: 'Site',
  metadata: { name: 'plant-7' },
  hosts: [{ name: 'w1', address: '10.0.0.1' }],
};
const NO_CLUSTER = SiteSchema.parse(BOX);
/** The site uses a cluster that somebody else made. */
const ITS_CLUSTER = SiteSchema.parse({ ...BOX, cluster: { kubeconfig: './admin.conf' } });
/** One that deliver made. */
const OWN_CLUSTER = SiteSchema.parse({ ...BOX, roles: { 'control-plane': ['w1'] } });
/** The host is no part of that. */
const BESIDE_CLUSTER = SiteSchema.parse({
  ...BOX,
  hosts: [...BOX.hosts, { name: 'cp1', address: '10.0.0.2' }],
  roles: { 'control-plane': ['cp1'] },
});

function hostsThat(connect: HostConnector['connect']): HostConnector {
  return { connect, close: () => Promise.resolve() };
}

async function run<Result>(
  flow: Flow<Result>,
  { report = SILENT, signal = NEVER }: { readonly report?: Report; readonly signal?: AbortSignal } = {},
): Promise<{ readonly notes: readonly string[]; readonly result: Result }> {
  const notes: string[] = [];
  const noted: Report = {
    progress: report.progress,
    note: (line) => {
      notes.push(line);
      report.note(line);
    },
  };
  const result = await runFlow(flow, { report: noted, signal });
  return { notes, result };
}
