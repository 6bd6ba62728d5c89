import { randomBytes } from 'node:crypto';
import { Secret } from '../core/secret.ts';
import { textAt } from './fields.ts';
import type { ClusterApi, KubeObject } from './port.ts';
import { MANAGED_BY, SYSTEM_NAMESPACE } from './system.ts';

const REF = { apiVersion: 'v1', kind: 'Secret', name: 'deliver-checksum-key', namespace: SYSTEM_NAMESPACE } as const;
const ENTRY = 'key';

/**
 * The key for checksums of secrets: the cluster's, or a new one where there is none yet. Nothing is written here: the
 * release's own list of objects holds it (`renderChecksumKey`).
 */
export async function checksumKeyOf(api: ClusterApi, signal?: AbortSignal): Promise<Secret> {
  const stored = textAt(await api.get(REF, signal), 'data', ENTRY);
  return new Secret(stored === undefined ? randomBytes(32).toString('hex') : Buffer.from(stored, 'base64').toString());
}

/** The Secret that keeps the key. It belongs to the site, not to a release. */
export function renderChecksumKey(key: Secret): KubeObject {
  const { apiVersion, kind, name, namespace } = REF;
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, labels: { ...MANAGED_BY } },
    type: 'Opaque',
    data: { [ENTRY]: Buffer.from(key.reveal()).toString('base64') },
  };
}
