import { listAt, textAt } from './fields.ts';
import type { ClusterApi, KubeObject } from './port.ts';

/** Kinds of Kubernetes itself that belong to no namespace. */
const CLUSTER_WIDE = new Set([
  ...['Namespace', 'Node', 'PersistentVolume', 'ComponentStatus'],
  ...['ClusterRole', 'ClusterRoleBinding', 'StorageClass', 'CSIDriver', 'CSINode', 'VolumeAttachment', 'VolumeAttributesClass'],
  ...['CustomResourceDefinition', 'APIService', 'PriorityClass', 'IngressClass', 'RuntimeClass', 'DeviceClass', 'ResourceSlice'],
  ...['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration', 'ValidatingAdmissionPolicy'],
  ...['ValidatingAdmissionPolicyBinding', 'MutatingAdmissionPolicy', 'MutatingAdmissionPolicyBinding'],
  ...['FlowSchema', 'PriorityLevelConfiguration', 'CertificateSigningRequest', 'ClusterTrustBundle', 'ServiceCIDR', 'IPAddress'],
]);

/** Groups of Kubernetes itself; others are made by definitions, also those that end in k8s.io (gateway.networking.k8s.io). */
const OWN_GROUPS = new Set([
  ...['', 'apps', 'batch', 'autoscaling', 'policy', 'networking.k8s.io', 'rbac.authorization.k8s.io', 'storage.k8s.io'],
  ...['apiextensions.k8s.io', 'apiregistration.k8s.io', 'admissionregistration.k8s.io', 'scheduling.k8s.io', 'node.k8s.io'],
  ...['coordination.k8s.io', 'discovery.k8s.io', 'certificates.k8s.io', 'flowcontrol.apiserver.k8s.io', 'resource.k8s.io'],
  ...['events.k8s.io'],
]);

const CRD = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' } as const;
const DEFAULT_NAMESPACE = 'default';

/** `example.org|Widget` → whether it lives in namespaces. */
export type CustomScopes = ReadonlyMap<string, boolean>;

/** The kinds that these definitions make. */
export function customScopes(objects: readonly KubeObject[]): CustomScopes {
  const definitions = objects.filter(({ kind }) => kind === CRD.kind);
  return new Map(
    definitions.map((definition) => [
      `${textAt(definition, 'spec', 'group') ?? ''}|${textAt(definition, 'spec', 'names', 'kind') ?? ''}`,
      textAt(definition, 'spec', 'scope') !== 'Cluster',
    ]),
  );
}

/** `example.org/v1` of every version that a definition serves. */
export function servedVersions(definition: KubeObject): { apiVersion: string; kind: string }[] {
  const group = textAt(definition, 'spec', 'group') ?? '';
  const kind = textAt(definition, 'spec', 'names', 'kind') ?? '';
  return listAt(definition, 'spec', 'versions').flatMap((version) => {
    const name = textAt(version, 'name');
    const served = typeof version === 'object' && version !== null && 'served' in version && version.served === true;
    return name === undefined || !served ? [] : [{ apiVersion: `${group}/${name}`, kind }];
  });
}

/** Whether the kind lives in namespaces; undefined for one that is neither Kubernetes’ own nor among the custom ones. */
export function isNamespaced(
  { apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>,
  custom: CustomScopes,
): boolean | undefined {
  const known = custom.get(`${groupOf(apiVersion)}|${kind}`);
  return known ?? (OWN_GROUPS.has(groupOf(apiVersion)) ? !CLUSTER_WIDE.has(kind) : undefined);
}

/**
 * The objects with the namespaces that kubectl would give them: `default` where none is said, none for what has none.
 * The cluster is asked only about kinds whose definition is not among the objects.
 * @param api absent while there is no cluster yet
 * @throws DeliverError E_CLUSTER, E_CLUSTER_AUTH
 */
export async function inNamespaces(
  objects: readonly KubeObject[],
  custom: CustomScopes,
  api: Pick<ClusterApi, 'list'> | undefined,
  signal?: AbortSignal,
): Promise<KubeObject[]> {
  const unknown = objects.some((object) => isNamespaced(object, custom) === undefined);
  const inCluster = unknown && api !== undefined ? customScopes(await api.list(CRD, {}, signal)) : new Map<string, boolean>();
  return objects.map((object) => {
    const { namespace, ...metadata } = object.metadata;
    const namespaced = isNamespaced(object, custom) ?? isNamespaced(object, inCluster) ?? namespace !== undefined;
    return { ...object, metadata: namespaced ? { ...metadata, namespace: namespace ?? DEFAULT_NAMESPACE } : metadata };
  });
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}
