import { createHmac } from 'node:crypto';
import type { KubeObject } from '../cluster/port.ts';
import { canonicalJson } from '../core/canonical-json.ts';
import { DeliverError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import type { App } from '../manifest/app-schema.ts';
import type { AppContext } from './context.ts';
import { fillSecrets } from './fill.ts';
import { metadataOf } from './metadata.ts';

export function secretNameOf(app: Pick<App, 'name'>): string {
  return `${app.name}-secrets`;
}

/** Values of the app's secret variables by variable name, revealed: they go into the Secret and nowhere else. */
export function secretsOf(app: App, context: AppContext): Record<string, string> {
  const names = Object.keys(app.secrets ?? {}).sort();
  return Object.fromEntries(
    // A text around a secret is one as well: a Secret shows it in base64, where the part alone would not be found.
    names.map((name) => [name, new Secret(fillSecrets(app, app.secrets?.[name] ?? '', context)).reveal()]),
  );
}

/** Secret `<app>-secrets`. `data`, not `stringData`: server-side apply would never see the latter's removal. */
export function renderSecrets(app: App, values: Readonly<Record<string, string>>, context: AppContext): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadataOf({ name: secretNameOf(app), namespace: app.namespace, labels: { app: app.name } }, context.release),
    type: 'Opaque',
    data: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Buffer.from(value).toString('base64')])),
  };
}

/**
 * Changes when a secret does, so that pods roll. Everyone who may read pods sees it, and a plain hash of a short password
 * can be guessed offline; so it is an HMAC under a random key that lives in a Secret of its own (`checksumKeyOf`), which
 * those who can read it don't need to guess with.
 */
export function secretsChecksum(app: App, values: Readonly<Record<string, string>>, context: AppContext): string {
  if (context.checksumKey === undefined) {
    throw new DeliverError('E_BUG', { what: `App ${app.name} has secrets, and rendering it was given no checksum key.` });
  }
  const hmac = createHmac('sha256', context.checksumKey.reveal());
  return `hmac-sha256:${hmac.update(canonicalJson([app.namespace, app.name, { ...values }])).digest('hex')}`;
}
