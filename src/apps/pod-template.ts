import type { App } from '../manifest/app-schema.ts';
import { appError } from './app-error.ts';
import { secretsChecksum, secretsOf } from './app-secrets.ts';
import { renderHelper, renderMain } from './containers.ts';
import type { AppContext } from './context.ts';
import { filesChecksum, filesOf } from './files.ts';
import { whenFilled } from './metadata.ts';
import { podVolumes } from './volumes.ts';

const FILES_VOLUME = 'app-files';
const FILES_CHECKSUM = 'deliver/files-checksum';
const SECRETS_CHECKSUM = 'deliver/secrets-checksum';

/** core/v1 PodTemplateSpec of an app. @throws DeliverError E_SCHEMA, E_VARIABLE, E_SECRET_MISSING */
export function renderPodTemplate(app: App, context: AppContext): Record<string, unknown> {
  const files = filesOf(app, context);
  if (files.length > 0 && (app.volumes ?? []).some((volume) => volume.name === FILES_VOLUME)) {
    throw appError(app, `The volume name ${FILES_VOLUME} is the one that its files use.`, 'Give the volume another name.');
  }
  const fileMounts = files.map(({ path, key }) => ({ name: FILES_VOLUME, mountPath: path, subPath: key, readOnly: true }));
  const filesVolume = files.length === 0 ? [] : [{ name: FILES_VOLUME, configMap: { name: `${app.name}-files` } }];
  const secrets = secretsOf(app, context);
  const annotations = {
    ...app.annotations,
    ...(files.length === 0 ? {} : { [FILES_CHECKSUM]: filesChecksum(files) }),
    ...(Object.keys(secrets).length === 0 ? {} : { [SECRETS_CHECKSUM]: secretsChecksum(app, secrets, context) }),
  };
  const sidecars = (app.sidecars ?? []).map(renderHelper);
  const runsToEnd = app.kind === 'Job' || app.kind === 'CronJob';
  // An ordinary second container would keep a Job from ever completing; this form ends with the main one (KEP-753).
  const nativeSidecars = runsToEnd ? sidecars.map((sidecar) => ({ ...sidecar, restartPolicy: 'Always' })) : [];
  return {
    metadata: { labels: { ...app.labels, app: app.name }, ...whenFilled('annotations', annotations) },
    spec: {
      ...whenFilled('initContainers', [...nativeSidecars, ...(app.initContainers ?? []).map(renderHelper)]),
      containers: [renderMain(app, fileMounts), ...(runsToEnd ? [] : sidecars)],
      ...(runsToEnd ? { restartPolicy: 'Never' } : {}),
      ...(app.terminationGracePeriodSeconds === undefined
        ? {}
        : { terminationGracePeriodSeconds: app.terminationGracePeriodSeconds }),
      ...(context.pullSecret === undefined ? {} : { imagePullSecrets: [{ name: context.pullSecret }] }),
      ...renderSpread(app),
      ...whenFilled('volumes', [...podVolumes(app), ...filesVolume]),
    },
  };
}

function renderSpread(app: App): Record<string, unknown> {
  if (app.spread === undefined || app.spread === 'none') return {};
  const term = {
    labelSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: [app.name] }] },
    topologyKey: 'kubernetes.io/hostname',
  };
  const podAntiAffinity =
    app.spread === 'required'
      ? { requiredDuringSchedulingIgnoredDuringExecution: [term] }
      : { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term }] };
  return { affinity: { podAntiAffinity } };
}
