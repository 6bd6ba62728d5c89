import { KUBEKEY_ROLES, type KubeKeyCluster } from './cluster-schema.ts';
import type { Findings } from './findings.ts';
import type { JsonPath } from '../problem.ts';
import type { Site } from '../site-schema.ts';
import { didYouMean } from '../suggest.ts';

/** More hosts than this in one range is a slip. */
const MOST = 1000;

const RANGE = /^(.*)\[(\d+):(\d+)\](.*)$/;

type Roles = NonNullable<Site['roles']>;

/** What of a Cluster the roles are told from. */
export interface RoledCluster {
  readonly spec: {
    readonly hosts: readonly { readonly name: string }[];
    readonly roleGroups: KubeKeyCluster['spec']['roleGroups'];
    readonly etcd?: KubeKeyCluster['spec']['etcd'];
  };
}

/** KubeKey's role groups as roles: ranges spelled out, `master` and `control-plane` as one, every unknown host reported. */
export function siteRoles({ spec }: RoledCluster, findings: Findings): Roles {
  const known = new Set(spec.hosts.map(({ name }) => name));
  const groups = new Map(KUBEKEY_ROLES.map((role) => [role, membersOf(role, spec.roleGroups[role] ?? [], known, findings)]));
  const group = (role: (typeof KUBEKEY_ROLES)[number]): string[] => groups.get(role) ?? [];
  const controlPlane = [...new Set([...group('control-plane'), ...group('master')])];
  if ([...(spec.roleGroups['control-plane'] ?? []), ...(spec.roleGroups.master ?? [])].length === 0) {
    findings.problem(['spec', 'roleGroups'], 'needs a control-plane (or master) with one host at least');
  }
  const etcd = etcdHosts(spec.etcd?.type, group('etcd'), controlPlane, findings);
  return {
    'control-plane': controlPlane,
    ...(group('worker').length === 0 ? {} : { worker: group('worker') }),
    ...(group('registry').length === 0 ? {} : { registry: group('registry') }),
    ...(etcd.length === 0 ? {} : { etcd }),
  };
}

function membersOf(role: string, entries: readonly string[], known: ReadonlySet<string>, findings: Findings): string[] {
  const names = entries.flatMap((entry, index) => {
    const path = ['spec', 'roleGroups', role, index];
    return spelledOut(entry, path, findings).filter((name) => {
      if (known.has(name)) return true;
      const from = name === entry ? '' : ` (of ${entry})`;
      findings.problem(path, `there is no host “${name}”${from}.${didYouMean(name, known)}`);
      return false;
    });
  });
  return [...new Set(names)];
}

/** `node[1:3]` is node1, node2, node3; leading zeros stay: `node[01:03]`. */
function spelledOut(entry: string, path: JsonPath, findings: Findings): string[] {
  const [, before = '', first = '', last = '', after = ''] = RANGE.exec(entry) ?? [];
  if (first === '') return [entry];
  const count = Number(last) - Number(first) + 1;
  if (count < 1 || count > MOST) {
    findings.problem(path, `the range must go up and be at most ${String(MOST)} hosts`);
    return [];
  }
  const width = first.startsWith('0') ? first.length : 0;
  return Array.from({ length: count }, (_, index) => `${before}${String(Number(first) + index).padStart(width, '0')}${after}`);
}

type EtcdType = NonNullable<KubeKeyCluster['spec']['etcd']>['type'];

/** Hosts of an etcd of its own; none where etcd runs on the control planes. */
function etcdHosts(type: EtcdType, etcd: readonly string[], controlPlane: readonly string[], findings: Findings): string[] {
  const path = ['spec', 'roleGroups', 'etcd'];
  const same = etcd.length === controlPlane.length && etcd.every((name) => controlPlane.includes(name));
  if (type === 'external') {
    findings.problem(
      ['spec', 'etcd', 'type'],
      'is not supported: deliver runs etcd itself; name hosts for it in roleGroups.etcd',
      'E_NOT_YET',
    );
  }
  if (type === 'kubeadm' && etcd.length > 0 && !same) {
    findings.problem(path, 'names other hosts than control-plane, but etcd.type: kubeadm runs etcd on the control planes');
  }
  if (type !== 'kubeadm' && same && etcd.length > 0) {
    findings.note(path, 'the control planes: etcd runs there as kubeadm makes it, in a static pod, not as a service');
  }
  return same || type === 'kubeadm' ? [] : [...etcd];
}
