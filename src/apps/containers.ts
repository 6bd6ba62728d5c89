import type { App, AppContainer } from '../manifest/app-schema.ts';
import { secretNameOf } from './app-secrets.ts';
import { renderEnv } from './env.ts';
import { whenFilled } from './metadata.ts';
import { renderProbes } from './probe.ts';
import { volumeMounts } from './volumes.ts';

/** The container that the app is about; it has the app's name. */
export function renderMain(app: App, fileMounts: readonly Record<string, unknown>[]): Record<string, unknown> {
  return {
    name: app.name,
    image: app.image,
    imagePullPolicy: app.imagePullPolicy ?? 'IfNotPresent',
    ...whenFilled('command', app.command),
    ...whenFilled('args', app.args),
    ...whenFilled('ports', renderPorts(app.ports)),
    ...whenFilled('env', renderEnv(app, secretNameOf(app))),
    ...whenFilled('resources', app.resources),
    ...renderProbes(app),
    ...whenFilled('volumeMounts', [...volumeMounts(app), ...fileMounts]),
  };
}

/** An init container or sidecar. */
export function renderHelper(container: AppContainer): Record<string, unknown> {
  const mounts = Object.entries(container.mounts ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, mountPath]) => ({ name, mountPath }));
  return {
    name: container.name,
    image: container.image,
    imagePullPolicy: 'IfNotPresent',
    ...whenFilled('command', container.command),
    ...whenFilled('args', container.args),
    ...whenFilled('ports', renderPorts(container.ports)),
    ...whenFilled('env', renderEnv({ env: container.env }, '')),
    ...whenFilled('resources', container.resources),
    ...whenFilled('volumeMounts', mounts),
  };
}

function renderPorts(ports: App['ports']): Record<string, unknown>[] {
  return (ports ?? []).map(({ name, port, protocol }) => ({ name, containerPort: port, protocol: protocol ?? 'TCP' }));
}
