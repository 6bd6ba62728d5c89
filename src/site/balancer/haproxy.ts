import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import { API_PORT, hostPort } from './endpoint.ts';
import type { KubernetesNode } from '../kubeadm/settings.ts';

export const HAPROXY_CONFIG = '/etc/deliver/haproxy/haproxy.cfg';
export const HAPROXY_MANIFEST = '/etc/kubernetes/manifests/deliver-haproxy.yaml';

/** What haproxy on a node is told: every API server, asked for its health over TLS as it answers anonymously. */
export function haproxyConfig(controlPlanes: readonly KubernetesNode[], port: number): string {
  const servers = controlPlanes.map(
    ({ name, address }) => `    server ${name} ${hostPort(address, API_PORT)} check check-ssl verify none`,
  );
  return `# written by deliver: the API servers of this cluster
global
    log stdout format raw local0 notice
    maxconn 8192
defaults
    mode tcp
    log global
    timeout connect 3s
    timeout client 4h
    timeout server 4h
    timeout check 5s
    retries 2
    option redispatch
frontend api
    bind 127.0.0.1:${String(port)}
    default_backend control-planes
backend control-planes
    balance roundrobin
    option httpchk GET /readyz
    http-check expect status 200
    default-server inter 2s fall 2 rise 1 on-marked-down shutdown-sessions
${servers.join('\n')}
`;
}

/** The static pod; a changed configuration changes the pod, so that the kubelet starts it anew. */
export function haproxyPod(image: string, config: string): string {
  const folder = HAPROXY_CONFIG.slice(0, HAPROXY_CONFIG.lastIndexOf('/'));
  return stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'deliver-haproxy',
      namespace: 'kube-system',
      labels: { 'app.kubernetes.io/name': 'haproxy', 'app.kubernetes.io/managed-by': 'deliver' },
      annotations: { 'deliver/config': createHash('sha256').update(config).digest('hex').slice(0, 16) },
    },
    spec: {
      hostNetwork: true,
      dnsPolicy: 'Default',
      priorityClassName: 'system-node-critical',
      containers: [
        {
          name: 'haproxy',
          image,
          imagePullPolicy: 'IfNotPresent',
          command: ['haproxy', '-W', '-db', '-f', '/usr/local/etc/haproxy/haproxy.cfg'],
          resources: { requests: { cpu: '25m', memory: '32Mi' } },
          volumeMounts: [{ name: 'config', mountPath: '/usr/local/etc/haproxy', readOnly: true }],
        },
      ],
      volumes: [{ name: 'config', hostPath: { path: folder, type: 'Directory' } }],
    },
  });
}
