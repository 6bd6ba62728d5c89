import type { KubeObject } from './port.ts';

/** What others need comes first (cli-utils, pkg/ordering); what is not named comes between. */
const FIRST = [
  'Namespace',
  'ResourceQuota',
  'StorageClass',
  'CustomResourceDefinition',
  'ServiceAccount',
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
  'IngressClass',
  'RuntimeClass',
  'NetworkPolicy',
  'ConfigMap',
  'Secret',
  'LimitRange',
  'PriorityClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'Service',
  'EndpointSlice',
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
];
// Webhooks come when what answers them is on its way: before, they would refuse it.
const LAST = ['Ingress', 'APIService', 'MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

/** The objects in the order in which they can be applied; those of one kind stay as they are. */
export function byKind(objects: readonly KubeObject[]): KubeObject[] {
  const rank = ({ kind }: KubeObject): number => {
    const [first, last] = [FIRST.indexOf(kind), LAST.indexOf(kind)];
    if (last >= 0) return FIRST.length + 1 + last;
    return first >= 0 ? first : FIRST.length;
  };
  return [...objects].sort((a, b) => rank(a) - rank(b));
}
