import type { AppContext } from '../../src/apps/context.ts';
import type { ReleaseContext } from '../../src/apps/release-objects.ts';
import { DeliverError } from '../../src/core/errors.ts';
import { Secret } from '../../src/core/secret.ts';
import { AppSchema, type App } from '../../src/manifest/app-schema.ts';
import { ReleaseSchema, type Release } from '../../src/manifest/release-schema.ts';
import type { SecretStore } from '../../src/manifest/secrets.ts';

/** The gatekeeper app of seed 001 as a release says it. */
export const GATEKEEPER: App = AppSchema.parse({
  name: 'gatekeeper',
  namespace: 'project',
  kind: 'StatefulSet',
  image: 'dockerhub.kubekey.local/project/gatekeeper:v362',
  replicas: 1,
  ports: [
    { name: 'http-8000', port: 8000 },
    { name: 'http-8080', port: 8080 },
  ],
  resources: { limits: { cpu: '2', memory: '4Gi' } },
  volumes: [{ name: 'vol-data', mount: '/home/user/data1', claim: { size: '10Gi' } }],
  spread: 'preferred',
  service: { type: 'NodePort' },
  ingress: [
    { host: 'gatekeeper.project.10.86.67.11.nip.io', port: 8000 },
    { host: 'gatekeeper.project.10.86.68.66.nip.io', port: 8080 },
  ],
});

/** A small Deployment, with what a test is about added. */
export function anApp(more: Partial<Record<keyof App, unknown>> = {}): App {
  return AppSchema.parse({ name: 'web', namespace: 'project', kind: 'Deployment', image: 'quay.io/a/web:1', ...more });
}

export function aContext(more: Partial<AppContext> = {}): AppContext {
  return { release: 'suite', ingress: { addresses: [] }, files: new Map(), outputs: new Map(), secrets: someSecrets(), ...more };
}

export function aReleaseContext(more: Partial<ReleaseContext> = {}): ReleaseContext {
  return { ingress: { addresses: [] }, files: new Map(), secrets: someSecrets(), ...more };
}

export function someSecrets(values: Readonly<Record<string, string>> = {}): SecretStore {
  return {
    get(name) {
      const value = values[name];
      if (value === undefined) throw new DeliverError('E_SECRET_MISSING', { what: `The secret “${name}” is not known.` });
      return new Secret(value);
    },
  };
}

/** The release of seed 001: gatekeeper and the Redis outside the cluster. */
export function aRelease(more: Partial<Record<keyof Release, unknown>> = {}): Release {
  return ReleaseSchema.parse({
    apiVersion: 'deliver/v1',
    kind: 'Release',
    metadata: { name: 'suite', version: '3.6.2' },
    platforms: ['linux/amd64'],
    externals: [{ name: 'redis-cluster', namespace: 'project', ports: [{ port: 6379 }], addresses: [{ ip: '10.86.67.11' }] }],
    apps: [{ ...GATEKEEPER, dependsOn: ['redis-cluster'] }],
    ...more,
  });
}
