import { countText } from '../core/amounts.ts';
import { DeliverError } from '../core/errors.ts';
import type { Flow } from '../core/report.ts';
import { certificatesOf, renewCertificates } from '../site/kubeadm/certs.ts';
import { renewEtcdGroup } from '../site/etcd/group.ts';
import { clusterVersion } from '../site/kubeadm/cluster.ts';
import { buildsKubernetes, kubernetesSettings } from '../site/kubeadm/settings.ts';
import { lockedSteps } from './locked-steps.ts';
import type { SitePorts } from './site-ports.ts';
import { needed } from './install/site-step.ts';

export interface CertsResult {
  readonly site: string;
  readonly hosts: readonly {
    readonly name: string;
    /** The certificate that ends first. */
    readonly first: string;
    readonly daysBefore: number;
    readonly daysLeft: number;
  }[];
}

/**
 * `deliver certs renew`: every control plane, one at a time; the next begins when the one before is healthy again.
 * @throws DeliverError E_USAGE for a cluster that is another’s
 */
export function certsRenewFlow(ports: SitePorts): Flow<CertsResult> {
  let result: CertsResult | undefined;
  const { site } = ports.loaded;
  // Not even the lock is anything to leave in such a cluster.
  if (!buildsKubernetes(site)) throw notOurs();
  const step = lockedSteps(ports)(
    'certificates',
    'Certificates',
    async (report, signal) => {
      const nodes = kubernetesSettings(site, '').controlPlanes;
      await renewEtcd(ports, signal);
      const hosts: CertsResult['hosts'][number][] = [];
      for (const node of nodes) {
        const connection = await ports.hosts.connect(node.name, signal);
        const before = await leastOf(connection, signal);
        report.progress({ done: hosts.length, total: nodes.length, unit: 'items', detail: node.name });
        await renewCertificates({ node, connection }, signal);
        const after = await leastOf(connection, signal);
        hosts.push({ name: node.name, first: after.name, daysBefore: before.daysLeft, daysLeft: after.daysLeft });
        report.note(`${node.name}: ${String(before.daysLeft)} days left before, ${String(after.daysLeft)} now`);
      }
      result = { site: site.metadata.name, hosts };
      return { summary: `renewed on ${countText(hosts.length, 'control plane')}`, changed: hosts.length };
    },
    { last: () => undefined },
  );
  return { steps: [step], result: () => needed(result) };
}

/** kubeadm renews no certificates of an etcd that it did not make. */
async function renewEtcd({ hosts, loaded: { site } }: SitePorts, signal: AbortSignal): Promise<void> {
  const [node] = kubernetesSettings(site, '').controlPlanes;
  if (node === undefined || kubernetesSettings(site, '').etcd.length === 0) return;
  const version = await clusterVersion({ node, connection: await hosts.connect(node.name, signal) }, signal);
  await renewEtcdGroup({ settings: kubernetesSettings(site, version), hosts, signal });
}

function notOurs(): DeliverError {
  return new DeliverError('E_USAGE', {
    what: 'The site file names no control planes that deliver keeps.',
    why: 'It has cluster:, or no role control-plane: that cluster is used, and never changed below its API.',
    fix: 'Renew its certificates with the tool that made it.',
    state: 'Nothing was changed.',
  });
}

async function leastOf(
  connection: Awaited<ReturnType<SitePorts['hosts']['connect']>>,
  signal: AbortSignal,
): Promise<{ name: string; daysLeft: number }> {
  // The kubelet renews its own; it says nothing about these.
  const [first] = (await certificatesOf(connection, new Date(), signal)).filter(({ name }) => name !== 'kubelet');
  return { name: first?.name ?? '', daysLeft: first?.daysLeft ?? 0 };
}
