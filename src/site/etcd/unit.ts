import { ETCD_DATA, ETCD_PKI } from './files.ts';
import type { KubernetesNode } from '../kubeadm/settings.ts';
import { hostPort } from '../balancer/endpoint.ts';

/** A member as the others are told of it. */
export interface EtcdPeer {
  readonly name: string;
  /** Where the others reach it: `https://10.0.0.1:2380`. */
  readonly peer: string;
}

export interface EtcdUnit {
  readonly node: KubernetesNode;
  /** The members that it begins with, itself among them; read by etcd only while its data folder is empty. */
  readonly initialCluster: readonly EtcdPeer[];
  readonly state: 'new' | 'existing';
}

/** The systemd unit of one member of an etcd on hosts of its own. */
export function etcdUnit({ node, initialCluster, state }: EtcdUnit): string {
  const peers = initialCluster.map(({ name, peer }) => `${name}=${peer}`).join(',');
  const client = hostPort(node.address, 2379);
  const peer = hostPort(node.address, 2380);
  const args = [
    `--name=${node.name}`,
    `--data-dir=${ETCD_DATA}`,
    `--listen-client-urls=https://${client},https://127.0.0.1:2379`,
    `--advertise-client-urls=https://${client}`,
    `--listen-peer-urls=https://${peer}`,
    `--initial-advertise-peer-urls=https://${peer}`,
    `--initial-cluster=${peers}`,
    `--initial-cluster-state=${state}`,
    '--initial-cluster-token=deliver',
    '--client-cert-auth=true',
    `--trusted-ca-file=${ETCD_PKI}/ca.crt`,
    `--cert-file=${ETCD_PKI}/server.crt`,
    `--key-file=${ETCD_PKI}/server.key`,
    '--peer-client-cert-auth=true',
    `--peer-trusted-ca-file=${ETCD_PKI}/ca.crt`,
    `--peer-cert-file=${ETCD_PKI}/peer.crt`,
    `--peer-key-file=${ETCD_PKI}/peer.key`,
    '--auto-compaction-retention=8',
    '--snapshot-count=10000',
  ];
  return `# written by deliver
[Unit]
Description=etcd of the Kubernetes cluster
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
ExecStart=/usr/local/bin/etcd \\
  ${args.join(' \\\n  ')}
Restart=always
RestartSec=2
LimitNOFILE=65536
TimeoutStartSec=0

[Install]
WantedBy=multi-user.target
`;
}
