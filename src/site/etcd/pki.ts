import type { HostConnection } from '../../ssh/port.ts';
import { stringify } from 'yaml';
import { ETCD_PKI } from './files.ts';
import { kubeadmApi } from '../kubeadm/config.ts';
import { locked, onHost } from '../kubeadm/host.ts';
import type { KubernetesNode, KubernetesSettings } from '../kubeadm/settings.ts';

/** Certificate and key of one holder, as they lie on it. */
export interface EtcdKeys {
  readonly ca: string;
  readonly files: Readonly<Record<string, string>>;
}

/** Where the CA’s host makes keys for others; nothing stays there. */
const DESK = '/run/deliver/etcd-keys';

/**
 * Makes the CA of the etcd cluster on its first host, once; its key never leaves that host.
 */
export async function makeEtcdCa(first: HostConnection, settings: KubernetesSettings, node: KubernetesNode): Promise<void> {
  const script = locked(`
set -e; [ -e ${ETCD_PKI}/ca.key ] && [ -e ${ETCD_PKI}/ca.crt ] && exit 0
rm -rf ${DESK}; mkdir -p ${DESK} ${ETCD_PKI}; cat >${DESK}/kubeadm.yaml
kubeadm init phase certs etcd-ca --config ${DESK}/kubeadm.yaml >/run/deliver/kubeadm.log 2>&1
mv ${DESK}/pki/etcd/ca.key ${ETCD_PKI}/ca.key; mv ${DESK}/pki/etcd/ca.crt ${ETCD_PKI}/ca.crt; rm -rf ${DESK}`);
  await onHost(first, script, { what: 'making the CA of etcd', stdin: document(settings, node), timeout: 700_000 });
}

/** Keys of a member (`server`, `peer`), signed on the CA’s host by the very kubeadm of the release. */
export function memberKeys(first: HostConnection, settings: KubernetesSettings, node: KubernetesNode): Promise<EtcdKeys> {
  return sign(first, settings, node, {
    'etcd-server': 'etcd/server',
    'etcd-peer': 'etcd/peer',
    'etcd-healthcheck-client': 'etcd/healthcheck-client',
  });
}

/** Keys that API servers talk to etcd with. */
export function clientKeys(first: HostConnection, settings: KubernetesSettings, node: KubernetesNode): Promise<EtcdKeys> {
  return sign(first, settings, node, { 'apiserver-etcd-client': 'apiserver-etcd-client' });
}

async function sign(
  first: HostConnection,
  settings: KubernetesSettings,
  node: KubernetesNode,
  phases: Readonly<Record<string, string>>,
): Promise<EtcdKeys> {
  const made = Object.entries(phases).map(
    ([phase, file]) => `kubeadm init phase certs ${phase} --config ${DESK}/kubeadm.yaml >>/run/deliver/kubeadm.log 2>&1
for e in crt key; do echo "name=${file.slice(file.lastIndexOf('/') + 1)}.$e"; cat ${DESK}/pki/${file}.$e; done`,
  );
  const script = locked(`
set -e; trap 'rm -rf ${DESK}' EXIT; rm -rf ${DESK}; mkdir -p ${DESK}/pki/etcd; cat >${DESK}/kubeadm.yaml
cp ${ETCD_PKI}/ca.crt ${ETCD_PKI}/ca.key ${DESK}/pki/etcd/; : >/run/deliver/kubeadm.log
echo name=ca.crt; cat ${ETCD_PKI}/ca.crt
${made.join('\n')}`);
  const text = await onHost(first, script, {
    what: `signing the keys of ${node.name}`,
    stdin: document(settings, node),
    timeout: 700_000,
  });
  const files = Object.fromEntries(
    text.split(/^name=/m).flatMap((part) => {
      const at = part.indexOf('\n');
      return at < 0 || part.trim() === '' ? [] : [[part.slice(0, at), part.slice(at + 1)]];
    }),
  );
  const { 'ca.crt': ca = '', ...rest } = files;
  return { ca, files: rest };
}

/** kubeadm takes the member’s name and addresses from a configuration as if it were a stacked one. */
function document({ version }: KubernetesSettings, { name, address }: KubernetesNode): string {
  const apiVersion = kubeadmApi(version);
  return [
    { apiVersion, kind: 'InitConfiguration', nodeRegistration: { name }, localAPIEndpoint: { advertiseAddress: address } },
    {
      apiVersion,
      kind: 'ClusterConfiguration',
      kubernetesVersion: version,
      certificatesDir: `${DESK}/pki`,
      etcd: { local: { serverCertSANs: [name, address, 'localhost'], peerCertSANs: [name, address] } },
    },
  ]
    .map((one) => stringify(one))
    .join('---\n');
}
