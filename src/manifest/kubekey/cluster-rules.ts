import type { FieldRule } from './findings.ts';

const BY_RELEASE = 'what runs in the cluster comes with the release: bring it there under manifests: or charts:';
const ETCD_DEFAULTS = 'etcd runs with its own defaults; leave it out';
const NO_BACKUP = 'deliver makes no backups of etcd; leave it out and back up with etcdctl snapshot save';
const HOST_OWNER = 'that is the host’s owner’s to set up; leave it out, the preflights check what Kubernetes needs';
const NO_KUBESPHERE = 'not used: KubeSphere comes with the release, if at all';
const NO_ARGS = 'deliver passes no arguments to it; leave it out';

/** Fields of a Cluster that deliver has no place for, in the order of KubeKey's documentation. */
export const REFUSED: readonly FieldRule[] = [
  { field: 'system.ntpServers', why: HOST_OWNER },
  { field: 'system.timezone', why: HOST_OWNER },
  { field: 'system.rpms', why: HOST_OWNER },
  { field: 'system.debs', why: HOST_OWNER },
  { field: 'system.preInstall', why: 'deliver runs no scripts of a site file on its hosts' },
  { field: 'system.postClusterInstall', why: 'deliver runs no scripts of a site file on its hosts' },
  { field: 'system.postInstall', why: 'deliver runs no scripts of a site file on its hosts' },
  { field: 'system.skipConfigureOS', why: 'hosts are always prepared; what was there before is kept' },
  { field: 'etcd.external', why: 'deliver runs etcd itself, on the control planes or on the hosts of the role etcd' },
  { field: 'etcd.port', fine: [2379], why: 'etcd listens on 2379' },
  { field: 'etcd.peerPort', fine: [2380], why: 'etcd listens on 2380 for its peers' },
  { field: 'etcd.dataDir', fine: ['/var/lib/etcd'], why: 'etcd’s data is in /var/lib/etcd' },
  { field: 'etcd.extraArgs', why: NO_ARGS },
  ...['backupDir', 'backupPeriod', 'keepBackupNumber', 'backupScript'].map((name) => ({ field: `etcd.${name}`, why: NO_BACKUP })),
  ...[
    'heartbeatInterval',
    'electionTimeout',
    'snapshotCount',
    'autoCompactionRetention',
    'metrics',
    'quotaBackendBytes',
    'maxRequestBytes',
    'maxSnapshots',
    'maxWals',
    'logLevel',
  ].map((name) => ({ field: `etcd.${name}`, why: ETCD_DEFAULTS })),
  { field: 'controlPlaneEndpoint.kubevip.mode', fine: ['ARP'], why: 'kube-vip runs in ARP mode' },
  { field: 'dns', why: 'the cluster’s DNS is as kubeadm makes it; leave it out' },
  { field: 'kubernetes.type', fine: ['kubernetes'], why: 'deliver makes clusters with kubeadm' },
  { field: 'kubernetes.disableKubeProxy', why: 'kube-proxy always runs' },
  { field: 'kubernetes.masqueradeAll', why: 'kube-proxy keeps its default' },
  { field: 'kubernetes.nodelocaldns', why: BY_RELEASE },
  { field: 'kubernetes.nodeFeatureDiscovery', why: BY_RELEASE },
  { field: 'kubernetes.kata', why: BY_RELEASE },
  { field: 'kubernetes.audit', why: 'the API server keeps no audit log' },
  {
    field: 'kubernetes.containerRuntimeEndpoint',
    fine: ['unix:///run/containerd/containerd.sock', 'unix:///var/run/containerd/containerd.sock'],
    why: 'it is containerd’s: unix:///run/containerd/containerd.sock',
  },
  // Where KubeKey 2 had them; etcd.* later.
  ...['etcdBackupDir', 'etcdBackupPeriod', 'keepBackupNumber', 'etcdBackupScript'].map((name) => ({
    field: `kubernetes.${name}`,
    why: NO_BACKUP,
  })),
  { field: 'kubernetes.apiserverArgs', why: NO_ARGS },
  { field: 'kubernetes.controllerManagerArgs', why: NO_ARGS },
  { field: 'kubernetes.schedulerArgs', why: NO_ARGS },
  { field: 'kubernetes.kubeProxyArgs', why: NO_ARGS },
  { field: 'kubernetes.kubeletConfiguration', isFree: true, why: 'write kubeletArgs instead' },
  { field: 'kubernetes.kubeProxyConfiguration', isFree: true, why: 'write proxyMode instead' },
  { field: 'network.kubeovn', isFree: true, why: BY_RELEASE },
  { field: 'network.hybridnet', isFree: true, why: BY_RELEASE },
  { field: 'network.multusCNI', why: BY_RELEASE },
  { field: 'storage.openebs.basePath', why: BY_RELEASE },
  { field: 'registry.bridgeIP', why: 'deliver runs no docker on the nodes' },
  {
    field: 'registry.namespaceRewrite',
    why: 'images keep their paths below their source host; namespaceOverride puts all below one',
  },
  { field: 'addons', why: BY_RELEASE },
  { field: 'kubesphere.enabled', why: BY_RELEASE },
];

/** Fields that ask for nothing that deliver would do otherwise. */
export const NOTED: readonly FieldRule[] = [
  {
    field: 'kubernetes.imageRepo',
    why: 'not used: images keep their upstream names, and nodes find them in the site’s registry',
  },
  {
    field: 'kubernetes.autoRenewCerts',
    why: 'no timer is installed: `deliver status` shows the days left, `deliver certs renew` renews',
  },
  { field: 'network.calico', isFree: true, why: 'not used: the manifests of the release that bring calico say this' },
  { field: 'network.flannel', isFree: true, why: 'not used: the manifests of the release that bring flannel say this' },
  { field: 'kubesphere.version', why: NO_KUBESPHERE },
  { field: 'kubesphere.configurations', why: NO_KUBESPHERE },
  { field: 'registry.registryMirrors', why: 'not used: nodes pull from the site’s registry alone' },
];
