import type { KubernetesPlan, KubernetesPlanItem } from '../../flows/plan/types.ts';
import { hanging } from './plan-items.ts';

/** What happens to Kubernetes: the version, then host by host in the order of the install, equal ones together. */
export function kubernetesLines(plan: KubernetesPlan, width: number): string[] {
  const groups = Map.groupBy(plan.nodes, ({ host: _host, ...rest }) => JSON.stringify(rest));
  const lines = [...groups.values()].flatMap((items) => {
    const [first] = items;
    if (first === undefined) return [];
    const names = items.map(({ host }) => host).join(', ');
    return hanging(`${names}: ${actionText(first, items.length, plan)}`, width);
  });
  return [...hanging(versionText(plan), width), ...lines];
}

function versionText({ from, to, nodes }: KubernetesPlan): string {
  if (nodes.some(({ action }) => action === 'await')) return `${to}: its API does not answer now`;
  if (from === undefined) return `${to}, made by kubeadm`;
  if (!nodes.some(({ action }) => action === 'upgrade')) return to;
  const versions = from === to ? `${to}, an upgrade to finish` : `${from} → ${to}`;
  return nodes.length === 1 ? versions : `${versions}, each host drained, upgraded, and healthy before the next`;
}

function actionText(item: KubernetesPlanItem, count: number, { upgradeBatch, to }: KubernetesPlan): string {
  const { action, role, again, from = '', why = '' } = item;
  const many = count > 1;
  const verb = (word: string): string => (many ? word : `${word}s`);
  const as = `${role === 'worker' ? 'worker' : 'control plane'}${many ? 's' : ''}`;
  const onceMore = again === true ? '; an earlier run began that' : '';
  if (role === 'etcd' && action === 'join') return `${verb('join')} etcd${many ? ', one after the other' : ''}`;
  if (role === 'etcd' && action === 'remove') return `${verb('leave')} etcd`;
  switch (action) {
    case 'etcd':
      return 'etcd of its own';
    case 'make':
      return `becomes the first control plane${onceMore}`;
    case 'join':
      return `${verb('join')} as ${as}${many ? (role === 'worker' ? ', side by side' : ', one after the other') : ''}${onceMore}`;
    case 'upgrade': {
      const pace = !many ? '' : role === 'worker' && upgradeBatch > 1 ? `, ${String(upgradeBatch)} at a time` : ', one at a time';
      return `${as} ${from === to ? 'to finish' : `${from} →`} ${to}${pace}`;
    }
    case 'mark':
      return `labels and taints ${why}`;
    case 'keep':
      return `${verb('stay')} ${as}`;
    case 'remove':
      return `${many ? 'are' : 'is'} drained and removed from the cluster`;
    case 'stranger':
      return `not in the site file; ${verb('stay')} in the cluster`;
    case 'await':
      return `${verb('belong')} to that cluster; the install waits for it`;
    case 'foreign':
      return `${many ? 'have' : 'has'} traces of another cluster, where the install stops`;
    case 'unreachable':
      return `can’t be looked at: ${why}`;
  }
}
