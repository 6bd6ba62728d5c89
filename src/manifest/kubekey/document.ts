import { DeliverError } from '../../core/errors.ts';
import { NOTHING_WRITTEN, type PositionOf } from '../problem.ts';
import type { Raw } from '../raw.ts';

/** What the apiVersion of KubeKey's files begins with. */
export const KUBEKEY_GROUP = 'kubekey.kubesphere.io/';

/** The version of KubeKey's files that deliver reads. */
const VERSION = `${KUBEKEY_GROUP}v1alpha2`;

export type KubeKeyKind = 'Manifest' | 'Cluster';

/**
 * What a document of KubeKey is; undefined for a document of anybody else.
 * @throws DeliverError E_NOT_YET for another version or kind of KubeKey's
 */
export function kubeKeyKind(path: string, document: Raw, positionOf: PositionOf): KubeKeyKind | undefined {
  const { apiVersion, kind } = document;
  if (typeof apiVersion !== 'string' || !apiVersion.startsWith(KUBEKEY_GROUP)) return undefined;
  if (apiVersion === VERSION && (kind === 'Manifest' || kind === 'Cluster')) return kind;
  throw new DeliverError('E_NOT_YET', {
    what: `${path} is a file of KubeKey that deliver can’t read.`,
    why: `It reads kind Manifest and Cluster of ${VERSION}.`,
    details: [
      `${positionOf([apiVersion === VERSION ? 'kind' : 'apiVersion'])}  ${apiVersion}, ${typeof kind === 'string' ? kind : 'no kind'}`,
    ],
    fix:
      apiVersion === `${KUBEKEY_GROUP}v1alpha1`
        ? 'Correct what changed between the two (controlPlaneEndpoint.port is a number now), and set v1alpha2.'
        : `Write it as a Manifest or Cluster of ${VERSION}, or as a release or site of deliver (docs/guides/kubekey.md).`,
  });
}

/** Where the document for KubeSphere's installer begins that `kk create config --with-kubesphere` writes behind the Cluster. */
const KUBESPHERE = /^---[^\n]*\n(?:\s*(?:#[^\n]*)?\n)*(?=apiVersion:\s*["']?installer\.kubesphere\.io\/)/m;

/** @throws DeliverError E_NOT_YET for a file that also says how KubeSphere is to be installed */
export function refuseKubeSphere(path: string, text: string): void {
  const found = text.includes(KUBEKEY_GROUP) ? KUBESPHERE.exec(text) : null;
  if (found === null) return;
  const lines = text.slice(0, found.index).split('\n').length;
  throw new DeliverError('E_NOT_YET', {
    what: `${path} holds a second document, for KubeSphere’s installer.`,
    why: 'deliver installs no KubeSphere: what runs in the cluster comes with the release.',
    details: [`${path}:${String(lines)}:1  apiVersion: installer.kubesphere.io`],
    fix: 'Take everything from that line on out of the file.',
    state: NOTHING_WRITTEN,
  });
}

/** The same without keys that have no value: `localPath:` alone means what leaving it out means, as in Go. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]: [string, unknown]) => (item === null ? [] : [[key, withoutNulls(item)]])),
  );
}
