import { describe, expect, it } from 'vitest';
import { NO_STYLE } from '../../../src/cli/style.ts';
import { viewInstall } from '../../../src/cli/views/install.ts';
import { viewInspect } from '../../../src/cli/views/inspect.ts';
import { viewPlan } from '../../../src/cli/views/plan.ts';
import { viewStatus } from '../../../src/cli/views/status.ts';
import { viewVerify } from '../../../src/cli/views/verify.ts';
import { NO_FOUNDATION } from '../../../src/flows/plan/foundation-plan.ts';
import type { ObjectPlan, PlanResult, StatusResult } from '../../../src/flows/plan/types.ts';

const screen = { style: NO_STYLE, width: 80 };
const text = (lines: readonly string[]): string => lines.join('\n');

const gatekeeper: ObjectPlan = {
  ref: { apiVersion: 'apps/v1', kind: 'StatefulSet', namespace: 'project', name: 'gatekeeper' },
  action: 'change',
  changes: [
    {
      path: 'spec.template.spec.containers[gatekeeper].image',
      kind: 'change',
      before: 'host/project/gatekeeper:v361',
      after: 'host/project/gatekeeper:v362',
    },
    { path: 'spec.replicas', kind: 'change', before: 2, after: 3 },
    { path: 'metadata.labels.team', kind: 'add', after: 'gate' },
  ],
};

function planOf(more: Partial<PlanResult> = {}): PlanResult {
  return {
    release: 'gatekeeper-suite',
    version: '3.6.2',
    from: '3.6.1',
    site: 'plant-7',
    hosts: 4,
    kubernetes: 'v1.34.4',
    checks: [
      { id: 'ssh', title: 'SSH', host: 'w1', outcome: 'pass' },
      {
        id: 'clock',
        title: 'clock',
        host: 'w2',
        outcome: 'warn',
        found: '41 s ahead of cp1. Pods will start, tokens may be refused.',
        fix: 'chronyc makestep on w2',
      },
    ],
    registry: {
      host: 'harbor.plant7',
      state: 'there',
      images: 41,
      imagesToPush: 3,
      bytesToPush: 96_000_000,
      projectsToMake: ['docker.io'],
    },
    build: NO_FOUNDATION,
    settled: [],
    cluster: 'there',
    parts: [],
    nodes: [
      { host: 'w1', files: ['/etc/containerd/certs.d/docker.io/hosts.toml', '/etc/containerd/certs.d/quay.io/hosts.toml'] },
      { host: 'w2', files: [] },
    ],
    objects: [
      gatekeeper,
      { ref: { apiVersion: 'v1', kind: 'Service', namespace: 'project', name: 'redis-cluster' }, action: 'create', changes: [] },
      { ref: { apiVersion: 'v1', kind: 'Namespace', name: 'project' }, action: 'same', changes: [] },
    ],
    leftOver: ['CronJob project/old-sync'],
    urls: ['http://gatekeeper.project.10.86.67.11.nip.io'],
    unchanged: false,
    ...more,
  };
}

describe('a plan', () => {
  const paths = { bundle: '/media/usb/suite.tar', site: 'plant-7.yaml' };

  it('shows what would happen, part by part, and the command that does it', () => {
    const lines = viewPlan(planOf(), paths, screen);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(text(lines)).toMatchInlineSnapshot(`
      "  gatekeeper-suite 3.6.1 → 3.6.2 on plant-7 · 4 hosts · harbor.plant7 ·
        Kubernetes v1.34.4

        Preflight   1 passed, 1 warning
          ! w2: clock: 41 s ahead of cp1. Pods will start, tokens may be refused.
            Fix: chronyc makestep on w2
        Registry    push 3 images, 96 MB; 38 are already there
                    make project docker.io
        Hosts       w1: 2 mirror files
        Cluster     project/gatekeeper     StatefulSet  ~ changed
                      ~ spec.template.spec.containers[gatekeeper].image v361 → v362
                      ~ spec.replicas 2 → 3
                      + metadata.labels.team gate
                    project/redis-cluster  Service      + new
                    1 object stays as it is
        Left over   CronJob project/old-sync is not in this release; it stays
        Addresses   http://gatekeeper.project.10.86.67.11.nip.io

        Each: deliver plan /media/usb/suite.tar --site plant-7.yaml --verbose
        Go:   deliver install /media/usb/suite.tar --site plant-7.yaml"
    `);
  });

  it('gives no command when a preflight failed', () => {
    const checks = [{ id: 'disk', title: 'disk', host: 'w1', outcome: 'fail' as const, found: '1 GB free, 4 GB needed' }];
    const shown = text(viewPlan(planOf({ checks }), paths, screen));
    expect(shown).toContain('✖ w1: disk: 1 GB free, 4 GB needed');
    expect(shown).not.toContain('Go:');
  });

  it('says when there is nothing to do', () => {
    expect(text(viewPlan(planOf({ unchanged: true }), paths, screen))).toContain('Nothing to do');
  });
});

describe('a status', () => {
  const status: StatusResult = {
    site: 'plant-7',
    hosts: [
      { name: 'cp1', address: '10.89.3.12', reachable: true, message: 'ok' },
      { name: 'w1', address: '10.89.3.13', reachable: false, message: 'no route to host' },
    ],
    registry: { host: 'harbor.plant7', version: 'v2.14.0', healthy: true, message: 'healthy' },
    kubernetes: 'v1.34.4',
    releases: [{ name: 'gatekeeper-suite', version: '3.6.2', installedAt: '2026-11-12T14:02:11.000Z', state: 'installed' }],
    nodes: [
      { name: 'cp1', ready: true, version: 'v1.34.4', message: '', certificateDays: 364 },
      { name: 'w1', ready: false, version: 'v1.34.4', message: 'Kubelet stopped posting node status.' },
    ],
    addons: [
      { kind: 'DaemonSet', namespace: 'kube-flannel', name: 'kube-flannel-ds', state: 'current', message: '2 of 2 ready' },
    ],
    down: ['host w1', 'node w1', 'StatefulSet project/gatekeeper'],
    apps: [
      { kind: 'StatefulSet', namespace: 'project', name: 'gatekeeper', state: 'in-progress', message: '1 of 2 ready' },
      { kind: 'Service', namespace: 'project', name: 'redis-cluster', state: 'current', message: '' },
    ],
    urls: ['http://gatekeeper.project.10.86.67.11.nip.io'],
    hostsFile: ['10.86.67.11  gatekeeper.project.10.86.67.11.nip.io'],
  };

  it('shows hosts, registry, releases, nodes, add-ons, apps and addresses on one screen', () => {
    const lines = viewStatus(status, screen);
    expect(lines.length).toBeLessThanOrEqual(32);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(text(lines)).toMatchInlineSnapshot(`
      "plant-7   Kubernetes v1.34.4

      Hosts
        ✔ cp1  10.89.3.12  ok
        ✖ w1   10.89.3.13  no route to host

      Registry
        ✔ harbor.plant7 · Harbor v2.14.0  healthy

      Releases
        gatekeeper-suite 3.6.2  installed  2026-11-12 14:02 UTC

      Nodes
        ✔ cp1  v1.34.4  certificates for 364 days
        ✖ w1   v1.34.4  Kubelet stopped posting node status.

      Add-ons
        ✔ kube-flannel/kube-flannel-ds  DaemonSet  2 of 2 ready

      Apps
        … project/gatekeeper     StatefulSet  1 of 2 ready
        ✔ project/redis-cluster  Service

          http://gatekeeper.project.10.86.67.11.nip.io
        On a laptop without that name server, add to its hosts file:
          10.86.67.11  gatekeeper.project.10.86.67.11.nip.io

      ✖ 3 things not well: host w1, node w1, StatefulSet project/gatekeeper"
    `);
  });

  it('says why it knows nothing of the cluster, instead of that nothing is installed', () => {
    const blind = {
      ...status,
      kubernetes: '',
      clusterProblem: 'The API server does not answer.',
      releases: [],
      nodes: [],
      addons: [],
      apps: [],
      urls: [],
    };
    const shown = text(viewStatus({ ...blind, hostsFile: [] }, screen));
    expect(shown).toContain('Cluster\n  ✖ The API server does not answer.');
    expect(shown).not.toContain('none installed');
  });

  it('keeps every line within the screen, however much is said of what can’t be reached', () => {
    const why = 'Host w1 (10.89.3.13:22) can’t be reached. · nothing listens on that port (connect ECONNREFUSED 10.89.3.13:22)';
    const long = 'a-worker-in-a-hall-far-away-with-a-long-name';
    const lines = viewStatus(
      {
        ...status,
        hosts: [
          { name: 'cp1', address: '10.89.3.12', reachable: true, message: '' },
          { name: 'w1', address: '10.89.3.13', reachable: false, message: why },
        ],
        registry: {
          host: 'dockerhub.kubekey.local',
          healthy: false,
          message: why,
          certificateDays: 12,
          runs: [{ policy: { kind: 'replication', name: 'to-plant-8' }, state: 'never' }],
        },
        clusterProblem: why,
        down: [`host ${long}`, `node ${long}`, `StatefulSet project/${long}`],
        lockedBy: `${long}.example, deliver 4711, since 2026-11-12 14:02 UTC`,
      },
      screen,
    );
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    const shown = text(lines);
    expect(shown).toContain(
      [
        'Hosts',
        '  ✔ cp1  10.89.3.12',
        '  ✖ w1   10.89.3.13  Host w1 (10.89.3.13:22) can’t be reached. · nothing listens',
        '                     on that port (connect ECONNREFUSED 10.89.3.13:22)',
      ].join('\n'),
    );
    // Nothing of it is cut off.
    expect(shown.replace(/\s+/g, ' ').split(why)).toHaveLength(4);
  });
});

describe('the end of an install', () => {
  const result = { release: 'suite', version: '1', site: 'plant-7', changed: 4, urls: ['http://a'], hostsFile: ['10.0.0.1  a'] };

  it('names the addresses and the hosts file', () => {
    expect(text(viewInstall(result, screen))).toMatchInlineSnapshot(`
      "
      ✔ suite 1 is installed on plant-7.
          http://a
        On a laptop without that name server, add to its hosts file:
          10.0.0.1  a"
    `);
  });

  it('says that a second run changed nothing', () => {
    expect(text(viewInstall({ ...result, changed: 0 }, screen))).toContain(
      'was already installed on plant-7; nothing was changed.',
    );
  });
});

describe('a bundle', () => {
  it('shows what is in it, biggest first', () => {
    const image = { digest: 'sha256:1', mediaType: 'm', platforms: ['linux/amd64'], neededBy: [] };
    const lines = viewInspect(
      {
        path: 'suite.tar',
        size: 4.4e9,
        release: 'gatekeeper-suite',
        version: '3.6.2',
        platforms: ['linux/amd64'],
        root: `sha256:${'9f'.repeat(32)}`,
        signatures: [{ fingerprint: 'SHA256:Yz3', state: 'good' }],
        images: [
          { ...image, reference: 'docker.io/library/busybox:1.36', size: 2.2e6, shared: 0, unique: 2.2e6 },
          { ...image, reference: `quay.io/${'long-path/'.repeat(8)}app:v1`, size: 3.1e8, shared: 8e7, unique: 2.3e8 },
        ],
        charts: [],
        files: [{ name: 'runbook', title: 'runbook.pdf', source: './runbook.pdf', digest: 'sha256:2', size: 310_000 }],
        content: 4.4e9,
        blobs: 120,
      },
      screen,
    );
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(text(lines)).toMatchInlineSnapshot(`
      "gatekeeper-suite 3.6.2   4.4 GB · 120 blobs · linux/amd64
        sha256:9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f
        signed by SHA256:Yz3

      Images (2)
        quay.io/long-path/long-pa…ng-path/long-path/app:v1  310 MB  80 MB shared
        docker.io/library/busybox:1.36                      2.2 MB

      Files (1)
        runbook  310 KB"
    `);
  });

  it('is not called proven when nobody signed it', () => {
    const result = { path: 'x', release: 'suite', version: '1', root: 'sha256:1', size: 10, signers: [], blobs: 3 };
    expect(text(viewVerify(result, NO_STYLE))).toContain('! Who made it was not proved');
  });
});
