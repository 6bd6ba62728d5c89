import { randomBytes } from 'node:crypto';
import type { KubeObject } from '../cluster/port.ts';
import { Secret } from '../core/secret.ts';
import { MANAGED_BY } from './metadata.ts';

/** Namespace of what deliver itself keeps in the cluster. */
export const CHECKSUM_NAMESPACE = 'deliver-system';
export const CHECKSUM_SECRET = 'deliver-checksum-key';
export const CHECKSUM_ENTRY = 'key';

/** A key for `secretsChecksum`; the first install of a site makes it, all later ones read it from the cluster. */
export function newChecksumKey(): Secret {
  return new Secret(randomBytes(32).toString('hex'));
}

/** The Secret that keeps the key. It belongs to the site, not to a release. */
export function renderChecksumKey(key: Secret): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: CHECKSUM_SECRET, namespace: CHECKSUM_NAMESPACE, labels: { ...MANAGED_BY } },
    type: 'Opaque',
    data: { [CHECKSUM_ENTRY]: Buffer.from(key.reveal()).toString('base64') },
  };
}
