/** Files of an etcd of its own: the same names on its members and, as a client, on the control planes. */
export const ETCD_PKI = '/etc/deliver/etcd/pki';
export const ETCD_DATA = '/var/lib/etcd';
export const ETCD_UNIT = '/etc/systemd/system/etcd.service';

/** What kubeadm is told about it, where `kubeadm init phase certs` looks by itself. */
export const ETCD_CLIENT = {
  caFile: '/etc/kubernetes/pki/etcd/ca.crt',
  certFile: '/etc/kubernetes/pki/apiserver-etcd-client.crt',
  keyFile: '/etc/kubernetes/pki/apiserver-etcd-client.key',
} as const;
