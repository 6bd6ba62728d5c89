import { join } from 'node:path';
import { stringify } from 'yaml';
import { loadSite, type LoadedSite } from '../../src/manifest/load-site.ts';
import { folderWith } from './files.ts';

/** A site file with this text. */
export async function load(text: string): Promise<LoadedSite> {
  return loadSite(join(await folderWith({ 'config.yaml': text }), 'config.yaml'));
}

export type Fields = Readonly<Record<string, unknown>>;

/** A Cluster with one control plane, one worker and a Harbor. */
export const SPEC = {
  hosts: ['cp1', 'w1', 'w2', 'reg1'].map((name, at) => ({ name, address: `10.0.0.${String(at + 1)}`, user: 'ops' })),
  roleGroups: { 'control-plane': ['cp1'], worker: ['w1'], registry: ['reg1'] },
  registry: { type: 'harbor', auths: { 'dockerhub.kubekey.local': { username: 'admin', password: 'Harbor12345' } } },
};

/** The same with other fields. */
export function cluster(spec: Fields, metadata: Fields = {}): Promise<LoadedSite> {
  return load(
    stringify({
      apiVersion: 'kubekey.kubesphere.io/v1alpha2',
      kind: 'Cluster',
      metadata: { name: 'sample', ...metadata },
      spec: { ...SPEC, ...spec },
    }),
  );
}
