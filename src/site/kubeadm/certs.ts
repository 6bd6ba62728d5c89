import { X509Certificate } from 'node:crypto';
import { DeliverError } from '../../core/errors.ts';
import type { HostConnection } from '../../ssh/port.ts';
import { waitApi } from './cluster.ts';
import { kubectl, locked, onHost } from './host.ts';
import type { Control } from './join.ts';
import { waitSystemPods } from './gate.ts';

const DAY = 24 * 60 * 60 * 1000;
const RENEW_TIMEOUT = 2 * 60_000;
const POD_SECONDS = 180;

/** One certificate of a host. */
export interface Certificate {
  /** As kubeadm names it: `apiserver`, `admin.conf`, `etcd-server` … */
  readonly name: string;
  readonly expires: Date;
  readonly daysLeft: number;
}

/** Prints every leaf certificate; of the kubeconfig files only the certificate, never the key. */
const LOOK = `
for f in /etc/kubernetes/pki/*.crt /etc/kubernetes/pki/etcd/*.crt /etc/deliver/etcd/pki/server.crt /var/lib/kubelet/pki/kubelet-client-current.pem; do
  [ -e "$f" ] || continue; case $f in */ca.crt|*/front-proxy-ca.crt) continue;; esac
  echo "name=$f"; sed -n '/BEGIN CERTIFICATE/,/END CERTIFICATE/p' "$f"
done
for f in admin super-admin controller-manager scheduler; do
  f=/etc/kubernetes/$f.conf; [ -e $f ] || continue
  echo "name=$f"; sed -n 's/^ *client-certificate-data: *//p' $f | head -n 1 | base64 -d
done`;

/** When the certificates of a host end, those that end first in front. */
export async function certificatesOf(connection: HostConnection, now: Date, signal?: AbortSignal): Promise<Certificate[]> {
  const text = await onHost(connection, LOOK, {
    what: 'looking at the certificates',
    ...(signal === undefined ? {} : { signal }),
  });
  return parseCertificates(text, now);
}

export function parseCertificates(text: string, now: Date): Certificate[] {
  const found = text.split(/^name=/m).flatMap((part): Certificate[] => {
    const [path = '', ...rest] = part.split('\n');
    const pem = /-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/.exec(rest.join('\n'))?.[0];
    if (pem === undefined) return [];
    const expires = new Date(new X509Certificate(pem).validTo);
    return [{ name: nameOf(path), expires, daysLeft: Math.floor((expires.getTime() - now.getTime()) / DAY) }];
  });
  return found.toSorted((a, b) => a.expires.getTime() - b.expires.getTime());
}

/** `/etc/kubernetes/pki/etcd/server.crt` → `etcd-server` */
function nameOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/\.crt$/, '');
  if (name === 'kubelet-client-current.pem') return 'kubelet';
  return path.includes('/etcd/') ? `etcd-${name}` : name;
}

const STATIC_PODS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

/**
 * New certificates for one control plane, and its static pods started with them, healthy again before this returns. The
 * manifests get a label, which makes the kubelet replace the pods: they never leave their folder.
 */
export async function renewCertificates(control: Control, signal: AbortSignal): Promise<void> {
  const { connection, node } = control;
  const stamp = String(Date.now());
  const touch = STATIC_PODS.map(
    (name) =>
      `m=/etc/kubernetes/manifests/${name}.yaml; if [ -e $m ]; then sed -e '/^    deliver\\/certificates: /d' -e 's|^  labels:$|&\\n    deliver/certificates: "${stamp}"|' $m >/etc/kubernetes/.deliver-manifest; chmod 600 /etc/kubernetes/.deliver-manifest; mv /etc/kubernetes/.deliver-manifest $m; fi`,
  );
  const script = [
    'set -e',
    `kubeadm certs renew all >/run/deliver/kubeadm.log 2>&1 || { tail -n 20 /run/deliver/kubeadm.log >&2; exit 1; }`,
    ...touch,
  ];
  await onHost(connection, locked(script.join('\n')), { what: 'kubeadm certs renew', timeout: RENEW_TIMEOUT + 600_000, signal });
  await newPods(control, stamp, signal);
  await waitApi(control, signal);
  await waitSystemPods(connection, node.name, { timeout: POD_SECONDS * 1000, signal });
}

async function newPods({ connection, node }: Control, stamp: string, signal: AbortSignal): Promise<void> {
  const end = Date.now() + POD_SECONDS * 1000;
  const args = `--request-timeout=5s -n kube-system get pods -l deliver/certificates=${stamp} --field-selector spec.nodeName=${node.name} -o name`;
  const expected = Number(
    (
      await onHost(connection, `grep -l 'deliver/certificates: "${stamp}"' /etc/kubernetes/manifests/*.yaml | wc -l`, {
        what: 'counting',
        signal,
      })
    ).trim(),
  );
  for (;;) {
    const seen = await kubectl(connection, args, { signal }).catch(() => '');
    if (
      seen
        .trim()
        .split('\n')
        .filter((line) => line !== '').length >= expected
    )
      return;
    if (Date.now() > end) break;
    await new Promise((resolve) => setTimeout(resolve, 2000));
    signal.throwIfAborted();
  }
  throw new DeliverError('E_NOT_READY', {
    what: `The control plane of ${node.name} did not start with its new certificates within ${String(POD_SECONDS)} s.`,
    fix: `Look there with: crictl ps -a; journalctl -u kubelet; then run the same command again.`,
    state: `The new certificates of ${node.name} are in place; the control planes after it still have theirs.`,
  });
}
