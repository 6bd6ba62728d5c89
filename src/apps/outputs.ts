import { DeliverError } from '../core/errors.ts';
import type { App } from '../manifest/app-schema.ts';
import type { Release } from '../manifest/release-schema.ts';

/** A value that the cluster makes and a later app uses. */
export interface Output {
  /** As it stands behind `outputs.`: `base-server.clusterIP`. */
  readonly name: string;
  /** The app or external whose Service has it. */
  readonly from: string;
  readonly namespace: string;
  readonly field: 'clusterIP';
}

/**
 * Where the value of `${outputs.<name>}` comes from.
 * @throws DeliverError E_VARIABLE for an unknown app or field, E_GRAPH when the app does not depend on it
 */
export function outputOf(name: string, app: App, release: Pick<Release, 'apps' | 'externals'>): Output {
  const dot = name.lastIndexOf('.');
  const from = name.slice(0, Math.max(dot, 0));
  const source = [...(release.apps ?? []), ...(release.externals ?? [])].find((known) => known.name === from);
  if (source === undefined || name.slice(dot + 1) !== 'clusterIP') {
    throw new DeliverError('E_VARIABLE', {
      what: `App ${app.name} uses \${outputs.${name}}, which is not an output.`,
      why: source === undefined ? `The release has no app or external ${from}.` : 'An app or external has the output clusterIP.',
      fix: 'Write ${outputs.<app>.clusterIP}',
      state: 'Nothing was changed.',
    });
  }
  const isApp = (release.apps ?? []).some((known) => known.name === from);
  if (isApp && !(app.dependsOn ?? []).includes(from)) {
    throw new DeliverError('E_GRAPH', {
      what: `App ${app.name} uses an output of ${from} but does not depend on it.`,
      fix: `Add dependsOn: [${from}] to app ${app.name}.`,
      state: 'Nothing was changed.',
    });
  }
  return { name, from, namespace: source.namespace, field: 'clusterIP' };
}
