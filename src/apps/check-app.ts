import { DeliverError } from '../core/errors.ts';
import type { App } from '../manifest/app-schema.ts';
import { appError } from './app-error.ts';

/**
 * Rules between fields of an app that its schema can't say.
 * @throws DeliverError E_SCHEMA, E_NOT_YET
 */
export function checkApp(app: App): void {
  if (app.kind === 'Rollout') throw notYet(app, 'kind: Rollout');
  if (Object.keys(app.hooks ?? {}).length > 0) throw notYet(app, 'hooks');
  const scalable = app.kind === 'StatefulSet' || app.kind === 'Deployment';
  if (app.replicas !== undefined && !scalable) throw appError(app, `replicas has no meaning for a ${app.kind}.`, 'Remove it.');
  if (app.kind === 'CronJob' && app.schedule === undefined)
    throw appError(app, 'A CronJob needs a schedule.', 'Add schedule: "0 3 * * *"');
  if (app.kind !== 'CronJob' && app.schedule !== undefined) throw appError(app, 'schedule is for kind: CronJob only.');
  const hasPorts = (app.ports ?? []).length > 0;
  if (!hasPorts && app.service !== undefined) throw appError(app, 'It has a service but no ports.', 'Add ports:');
  if (!hasPorts && (app.ingress ?? []).length > 0) throw appError(app, 'It has an ingress but no ports.', 'Add ports:');
  unique(
    app,
    'port',
    (app.ports ?? []).map((port) => port.name),
  );
  unique(
    app,
    'volume',
    (app.volumes ?? []).map((volume) => volume.name),
  );
  const paths = [...(app.volumes ?? []).map((volume) => volume.mount), ...Object.keys(app.files ?? {})];
  unique(app, 'mount path', paths);
  const helpers = [...(app.initContainers ?? []), ...(app.sidecars ?? [])];
  unique(app, 'container', [app.name, ...helpers.map((container) => container.name)]);
  for (const container of helpers) {
    for (const volume of Object.keys(container.mounts ?? {})) {
      if (!(app.volumes ?? []).some((known) => known.name === volume)) {
        throw appError(app, `Container ${container.name} mounts volume ${volume}, which the app does not have.`);
      }
    }
  }
}

function unique(app: App, thing: string, names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw appError(app, `It has the ${thing} ${twice} twice.`);
}

function notYet(app: App, thing: string): DeliverError {
  return new DeliverError('E_NOT_YET', {
    what: `App ${app.name} uses ${thing}, which deliver can't install yet.`,
    fix: 'Use kind: Deployment or StatefulSet without hooks, or wait for a later version of deliver.',
    state: 'Nothing was changed.',
  });
}
