import type { KubeObject } from '../cluster/port.ts';
import type { RegistryAccount } from '../registry/port.ts';
import { metadataOf } from './metadata.ts';

/** Name of the release's pull secret, the same in every namespace; releases that share one may pull from other hosts. */
export function pullSecretName(release: string): string {
  return `deliver-pull-${release.replaceAll('_', '-')}`;
}

/**
 * The account that pods pull with, in a form the kubelet understands. It looks the account up by the host that the image
 * reference names, also when a mirror answers, so there is one entry per source host, all with the same account.
 * @param hosts source hosts of the images: `docker.io`, `quay.io`, `harbor.site:8443`
 */
export function renderPullSecret(
  namespace: string,
  account: RegistryAccount,
  hosts: readonly string[],
  release: string,
): KubeObject {
  const { username, password } = account;
  const entry = { username, password, auth: Buffer.from(`${username}:${password}`).toString('base64') };
  const keys = new Set(hosts.flatMap((host) => (host === 'docker.io' ? ['docker.io', 'https://index.docker.io/v1/'] : [host])));
  const config = JSON.stringify({ auths: Object.fromEntries([...keys].sort().map((key) => [key, entry])) });
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadataOf({ name: pullSecretName(release), namespace }, release),
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(config).toString('base64') },
  };
}
