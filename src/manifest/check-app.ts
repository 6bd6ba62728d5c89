import type { App } from './app-schema.ts';
import { checkAppNames } from './check-app-names.ts';
import { checkKind } from './check-kind.ts';
import { repeated, type Part } from './parts.ts';
import type { JsonPath, Problem } from './problem.ts';
import { didYouMean } from './suggest.ts';

/** What no schema can say about one app: that its parts name each other rightly. */
export function checkApp({ path, value: app }: Part<App>): Problem[] {
  return [...checkKind(app), ...checkPorts(app), ...checkIngress(app), ...checkVolumes(app), ...checkAppNames(app)].map(
    (problem) => ({
      ...problem,
      path: [...path, ...problem.path],
    }),
  );
}

function checkPorts(app: App): Problem[] {
  const ports = app.ports ?? [];
  const names = ports.map((port, index) => ({ path: ['ports', index, 'name'], value: port.name }));
  const numbers = ports.map((port, index) => ({
    path: ['ports', index, 'port'],
    value: `${String(port.port)}/${port.protocol ?? 'TCP'}`,
  }));
  const twice = [...repeated(names), ...repeated(numbers)].map(({ path, value }) => ({
    path,
    message: `the port ${value} is here twice`,
  }));
  const nodePorts = Object.keys(app.service?.nodePorts ?? {}).filter((name) => !ports.some((port) => port.name === name));
  const unknown = nodePorts.map((name) => ({
    path: ['service', 'nodePorts', name],
    message: `the app has no port named “${name}”.${didYouMean(
      name,
      names.map(({ value }) => value),
    )}`,
  }));
  const idle =
    app.service !== undefined && ports.length === 0
      ? [{ path: ['service'], message: 'a service needs ports: the app has none' }]
      : [];
  return [...twice, ...unknown, ...idle, ...checkProbes(app)];
}

function checkProbes(app: App): Problem[] {
  return Object.entries(app.probes ?? {}).flatMap(([kind, probe]) => {
    if (probe === undefined || probe.exec !== undefined) return [];
    const path = ['probes', kind, 'port'];
    if (probe.port === undefined)
      return (app.ports ?? []).length === 0 ? [{ path, message: 'is missing: the app has no ports' }] : [];
    // A number may be any port of the container; a name must be declared.
    return typeof probe.port === 'number' ? [] : unknownPort(app, probe.port, path);
  });
}

function checkIngress(app: App): Problem[] {
  return (app.ingress ?? []).flatMap((entry, index) => unknownPort(app, entry.port, ['ingress', index, 'port']));
}

function unknownPort(app: App, wanted: string | number, path: JsonPath): Problem[] {
  const ports = app.ports ?? [];
  if (ports.some((port) => port.port === wanted || port.name === wanted)) return [];
  const known = ports.map((port) => `${port.name} (${String(port.port)})`).join(', ');
  const names = ports.flatMap((port) => [port.name, String(port.port)]);
  const message = `the app has no port ${String(wanted)}${known === '' ? '' : `; it has ${known}`}.${didYouMean(String(wanted), names)}`;
  return [{ path, message }];
}

function checkVolumes(app: App): Problem[] {
  const volumes = (app.volumes ?? []).map((volume, index) => ({ path: ['volumes', index, 'name'], value: volume.name }));
  const known = new Set(volumes.map((volume) => volume.value));
  const twice = repeated(volumes).map(({ path, value }) => ({ path, message: `the volume “${value}” is here twice` }));
  const lists = ['initContainers', 'sidecars'] as const;
  const containers = lists.flatMap((list) =>
    (app[list] ?? []).map((container, index) => ({ path: [list, index], value: container })),
  );
  const names = [
    { path: [], value: app.name },
    ...containers.map(({ path, value }) => ({ path: [...path, 'name'], value: value.name })),
  ];
  const sameName = repeated<string>(names).map(({ path, value }) => ({
    path,
    message: `a container is already named “${value}”`,
  }));
  const unknown = containers.flatMap(({ path, value }) =>
    Object.keys(value.mounts ?? {})
      .filter((name) => !known.has(name))
      .map((name) => ({
        path: [...path, 'mounts', name],
        message: `the app has no volume “${name}”.${didYouMean(name, known)}`,
      })),
  );
  return [...twice, ...sameName, ...unknown];
}
