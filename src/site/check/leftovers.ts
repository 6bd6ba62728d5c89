import { countText } from '../../core/amounts.ts';
import { check, type Check } from './check.ts';
import type { BuildFacts } from './facts.ts';
import { isNode, type BuildNeeds, type HostDuty } from './needs.ts';

const RIVALS: Readonly<Record<string, string>> = {
  crio: 'CRI-O',
  k3s: 'k3s',
  'k3s-server': 'k3s',
  'k3s-agent': 'k3s',
  rke2: 'RKE2',
  'cri-dockerd': 'cri-dockerd',
};

/** Traces of a cluster or runtime that deliver did not make. */
export function leftoverChecks(host: string, facts: BuildFacts, duty: HostDuty, needs: BuildNeeds): Check[] {
  if (!isNode(duty) && !duty.roles.includes('etcd')) return [];
  return [clusterCheck(host, facts, duty, needs), ...rivalChecks(host, facts, duty)];
}

function clusterCheck(host: string, { left, ours, process }: BuildFacts, duty: HostDuty, needs: BuildNeeds): Check {
  const outcome = check('leftovers', 'another cluster');
  if (ours.includes('kubernetes') || (ours.includes('host') && !isNode(duty)))
    return outcome.pass({ host, found: 'what deliver set up' });
  if (needs.members.has(host)) return outcome.pass({ host, found: 'a node of this site’s cluster' });
  const running = process.filter((name) => ['kubelet', 'kube-apiserver', 'etcd'].includes(name));
  if (left.length === 0 && running.length === 0) return outcome.pass({ host, found: 'none' });
  const traces = [
    ...(running.length === 0 ? [] : [`${running.join(', ')} runs`]),
    ...(left.length === 0 ? [] : [traceText(left)]),
  ];
  return outcome.fail({
    host,
    found: traces.join('; '),
    details: left,
    fix: `If nobody needs it: kubeadm reset -f on ${host}, and remove /etc/cni/net.d/*, /etc/kubernetes and /var/lib/etcd.`,
  });
}

function traceText(left: readonly string[]): string {
  const [first = '', second] = left;
  if (second === undefined) return first;
  return left.length === 2 ? `${first}, ${second}` : `${first} and ${countText(left.length - 1, 'other file')}`;
}

function rivalChecks(host: string, { process }: BuildFacts, { registry }: HostDuty): Check[] {
  const outcome = check('runtime', 'other runtimes');
  const rivals = [...new Set(process.flatMap((name) => RIVALS[name] ?? []))];
  if (rivals.length > 0) {
    return [
      outcome.fail({
        host,
        found: `${rivals.join(', ')} runs there`,
        fix: `Stop and remove ${rivals.join(', ')} on ${host}; or keep it and name its cluster as cluster: in the site file.`,
      }),
    ];
  }
  if (process.includes('dockerd') && registry !== 'harbor') {
    return [
      outcome.warn({
        host,
        found: 'Docker runs there: it shares containerd and sets the FORWARD chain to DROP',
        fix: `systemctl disable --now docker docker.socket on ${host}, if nothing needs it.`,
      }),
    ];
  }
  return [outcome.pass({ host })];
}
