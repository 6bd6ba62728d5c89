import { stringify } from 'yaml';

export const KUBE_VIP_MANIFEST = '/etc/kubernetes/manifests/deliver-kube-vip.yaml';

export interface KubeVip {
  readonly image: string;
  readonly address: string;
  readonly port: number;
  /** Network interface that holds the host’s own address. */
  readonly interface: string;
  /** While the first control plane is made only super-admin.conf is authorised yet (kube-vip#684, Kubernetes ≥ 1.29). */
  readonly initialising: boolean;
}

/** kube-vip as a static pod: one control plane after the other holds the address, by ARP and a lease. */
export function kubeVipPod({ image, address, port, interface: device, initialising }: KubeVip): string {
  const env = {
    vip_arp: 'true',
    port: String(port),
    vip_interface: device,
    vip_subnet: address.includes(':') ? '128' : '32',
    cp_enable: 'true',
    cp_namespace: 'kube-system',
    vip_leaderelection: 'true',
    vip_leasename: 'plndr-cp-lock',
    vip_leaseduration: '15',
    vip_renewdeadline: '10',
    vip_retryperiod: '2',
    address,
  };
  return stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'deliver-kube-vip',
      namespace: 'kube-system',
      labels: { 'app.kubernetes.io/name': 'kube-vip', 'app.kubernetes.io/managed-by': 'deliver' },
    },
    spec: {
      hostNetwork: true,
      hostAliases: [{ ip: '127.0.0.1', hostnames: ['kubernetes'] }],
      priorityClassName: 'system-node-critical',
      containers: [
        {
          name: 'kube-vip',
          image,
          imagePullPolicy: 'IfNotPresent',
          args: ['manager'],
          env: Object.entries(env).map(([name, value]) => ({ name, value })),
          securityContext: { capabilities: { drop: ['ALL'], add: ['NET_ADMIN', 'NET_RAW'] } },
          volumeMounts: [{ name: 'kubeconfig', mountPath: '/etc/kubernetes/admin.conf', readOnly: true }],
        },
      ],
      volumes: [
        {
          name: 'kubeconfig',
          hostPath: { path: `/etc/kubernetes/${initialising ? 'super-admin.conf' : 'admin.conf'}` },
        },
      ],
    },
  });
}
