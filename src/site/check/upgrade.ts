import semver from 'semver';
import { conditionOf, listAt, numberAt, textAt } from '../../cluster/fields.ts';
import type { ClusterApi, KubeObject } from '../../cluster/port.ts';
import { countText } from '../../core/amounts.ts';
import { check, checkThat, type Check } from './check.ts';
import { upgradeStep } from '../kubeadm/upgrade-path.ts';

const NAMES_SHOWN = 3;
/** etcd 3.6 reads only what the last 3.5 releases wrote (MinExternalEtcdVersion of kubeadm). */
const ETCD_BEFORE_36 = '3.5.24';
const KUBERNETES_WITH_ETCD_36 = '1.34.0';

/** What of a running cluster decides whether it can be upgraded. */
export interface ClusterLook {
  readonly nodes: readonly KubeObject[];
  readonly pods: readonly KubeObject[];
  readonly budgets: readonly KubeObject[];
  readonly kubeadmConfig: KubeObject | undefined;
}

export async function lookAtCluster(api: ClusterApi, signal: AbortSignal): Promise<ClusterLook> {
  const [nodes, pods, budgets, kubeadmConfig] = await Promise.all([
    api.list({ apiVersion: 'v1', kind: 'Node' }, {}, signal),
    api.list({ apiVersion: 'v1', kind: 'Pod' }, {}, signal),
    api.list({ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' }, {}, signal),
    api.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system', name: 'kubeadm-config' }, signal),
  ]);
  return { nodes, pods, budgets, kubeadmConfig };
}

/** A cluster that is there, before anything of it is changed: `to` is the version of the release, if one is at hand. */
export async function clusterChecks(look: ClusterLook, from: string, to: string | undefined): Promise<Check[]> {
  const upgrades = to !== undefined && semver.valid(from) !== null && from !== to;
  const ready = readyCheck(look.nodes, upgrades);
  if (!upgrades) return [ready];
  return [
    await checkThat('upgrade-path', 'Kubernetes upgrade', () => Promise.resolve(stepOf(from, to))),
    ready,
    kubeletCheck(look.nodes, to),
    etcdCheck(look.pods, to),
    configCheck(look.kubeadmConfig),
    budgetCheck(look),
    loneCheck(look.pods),
  ];
}

function stepOf(from: string, to: string): { readonly found: string } {
  upgradeStep(from, to);
  return { found: `${from} → ${to}` };
}

/** Only an upgrade needs all of them: an install that was cut off leaves nodes that wait for their network plugin. */
function readyCheck(nodes: readonly KubeObject[], upgrades: boolean): Check {
  const outcome = check('nodes-ready', 'nodes');
  const bad = nodes.filter((node) => conditionOf(node, 'Ready')?.status !== 'True').map(({ metadata }) => metadata.name);
  const closed = nodes.filter((node) => node.spec !== undefined && isClosed(node)).map(({ metadata }) => metadata.name);
  const found = `${String(nodes.length - bad.length)} of ${countText(nodes.length, 'node')} ready`;
  if (bad.length > 0)
    return outcome[upgrades ? 'fail' : 'warn']({
      found: `${found}; not: ${some(bad)}`,
      fix: `kubectl describe node ${bad[0] ?? ''}; journalctl -u kubelet there`,
    });
  if (closed.length > 0)
    return outcome.warn({ found: `${found}; cordoned: ${some(closed)}`, fix: `kubectl uncordon ${closed.join(' ')}` });
  return outcome.pass({ found });
}

function isClosed(node: KubeObject): boolean {
  return (node.spec as { unschedulable?: unknown } | undefined)?.unschedulable === true;
}

/** kubelets may be three minors older than the API server, never newer. */
function kubeletCheck(nodes: readonly KubeObject[], to: string): Check {
  const outcome = check('kubelet-skew', 'kubelets');
  const off = nodes.flatMap((node) => {
    const version = textAt(node, 'status', 'nodeInfo', 'kubeletVersion') ?? '';
    const found = semver.coerce(version);
    if (found === null) return [];
    const behind = semver.minor(to) - found.minor;
    return behind > 3 || behind < 0 ? [`${node.metadata.name} ${version}`] : [];
  });
  if (off.length === 0) return outcome.pass();
  return outcome.fail({
    found: `${some(off)}: too far from ${to}`,
    fix: 'Bring these kubelets to the version of the cluster first: deliver install with the release that is installed.',
  });
}

function etcdCheck(pods: readonly KubeObject[], to: string): Check {
  const outcome = check('etcd-version', 'etcd');
  const versions = pods
    .filter(({ metadata }) => metadata.namespace === 'kube-system' && metadata.labels?.['component'] === 'etcd')
    .flatMap((pod) => semver.coerce(/:v?([^:@]+)/.exec(textAt(pod, 'spec', 'containers', 0, 'image') ?? '')?.[1] ?? '') ?? []);
  const [oldest] = versions.toSorted(semver.compare);
  if (oldest === undefined) return outcome.pass({ found: 'not in the cluster’s pods' });
  if (semver.lt(to, KUBERNETES_WITH_ETCD_36) || semver.gte(oldest, ETCD_BEFORE_36))
    return outcome.pass({ found: oldest.version });
  return outcome.fail({
    found: `${oldest.version}; Kubernetes ${to} brings etcd 3.6, which wants ${ETCD_BEFORE_36} before it`,
    fix: 'Install a release with the newest patch of the Kubernetes minor that is there first: it brings that etcd.',
  });
}

function configCheck(config: KubeObject | undefined): Check {
  const outcome = check('kubeadm-config', 'kubeadm’s record');
  const text = textAt(config, 'data', 'ClusterConfiguration');
  if (text?.includes('kubernetesVersion:') === true) return outcome.pass();
  return outcome.fail({
    found: 'kube-system has no ConfigMap kubeadm-config that can be read: kubeadm did not make this cluster, or it was removed',
    fix: 'On a control plane: kubeadm init phase upload-config kubeadm --config <its configuration>',
  });
}

/** A budget that allows no disruption even when all its pods are healthy makes a drain wait for ever. */
function budgetCheck({ budgets }: ClusterLook): Check {
  const outcome = check('drain-budgets', 'disruption budgets');
  const count = (budget: KubeObject, name: string): number => numberAt(budget, 'status', name) ?? 0;
  const closed = budgets.filter((budget) => count(budget, 'expectedPods') > 0 && count(budget, 'disruptionsAllowed') === 0);
  const name = ({ metadata }: KubeObject): string => `${metadata.namespace ?? ''}/${metadata.name}`;
  const never = closed.filter((budget) => count(budget, 'desiredHealthy') >= count(budget, 'expectedPods'));
  if (never.length > 0) {
    return outcome.fail({
      found: `${some(never.map(name))} never allow${never.length === 1 ? 's' : ''} a pod to be moved: a drain would wait for ever`,
      fix: 'Run one more replica than the budget wants, or relax it (maxUnavailable: 1) for the upgrade.',
    });
  }
  if (closed.length > 0) {
    return outcome.warn({
      found: `${some(closed.map(name))} allow no disruption now: too few of the pods are ready`,
      fix: 'Wait until they are ready: kubectl get pdb -A',
    });
  }
  return outcome.pass({ found: countText(budgets.length, 'budget') });
}

function loneCheck(pods: readonly KubeObject[]): Check {
  const outcome = check('lone-pods', 'pods without an owner');
  const lone = pods
    .filter((pod) => listAt(pod, 'metadata', 'ownerReferences').length === 0)
    .filter((pod) => pod.metadata.annotations?.['kubernetes.io/config.mirror'] === undefined)
    .filter((pod) => !['Succeeded', 'Failed'].includes(textAt(pod, 'status', 'phase') ?? ''))
    .map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`);
  if (lone.length === 0) return outcome.pass();
  return outcome.fail({
    found: `${some(lone)}: nothing makes them again once their node is drained`,
    fix: 'Delete those that are not needed, and make a Deployment of the others: kubectl get pod … -o yaml',
  });
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN).join(', ');
  return names.length <= NAMES_SHOWN ? shown : `${shown} and ${String(names.length - NAMES_SHOWN)} more`;
}
