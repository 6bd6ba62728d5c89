import type { App } from './app-schema.ts';
import { repeated } from './parts.ts';
import type { JsonPath, Problem } from './problem.ts';

/** Volume that deliver mounts files from. */
const FILES_VOLUME = 'app-files';

/** Names in the pod of an app that Kubernetes would refuse, or that would overwrite each other. */
export function checkAppNames(app: App): Problem[] {
  return [...checkEnvironment(app), ...checkPaths(app), ...checkLabels(app)];
}

function checkEnvironment(app: App): Problem[] {
  const both = Object.keys(app.secrets ?? {}).filter((name) => Object.hasOwn(app.env ?? {}, name));
  const lists = ['initContainers', 'sidecars'] as const;
  const helpers = lists.flatMap((list) =>
    (app[list] ?? []).map(({ env }, index) => ({ path: [list, index, 'env'] as JsonPath, env })),
  );
  return [
    ...both.map((name) => ({ path: ['secrets', name], message: 'is set under env: too' })),
    ...[{ path: ['env'] as JsonPath, env: app.env }, ...helpers].flatMap(({ path, env }) =>
      Object.keys(env ?? {})
        .filter((name) => !/^[ -<>-~]+$/.test(name))
        .map((name) => ({ path: [...path, name], message: 'is no name of a variable: printable ASCII without “=”' })),
    ),
    // It is a key of a Secret as well.
    ...Object.keys(app.secrets ?? {})
      .filter((name) => !/^[-._A-Za-z0-9]+$/.test(name))
      .map((name) => ({ path: ['secrets', name], message: 'must be letters, digits, “-”, “_” and “.”' })),
  ];
}

function checkPaths(app: App): Problem[] {
  const mounts = (app.volumes ?? []).map(({ mount }, index) => ({
    path: ['volumes', index, 'mount'] as JsonPath,
    value: mount,
  }));
  const files = Object.keys(app.files ?? {}).map((path) => ({ path: ['files', path] as JsonPath, value: path }));
  const taken = files.length === 0 ? -1 : (app.volumes ?? []).findIndex(({ name }) => name === FILES_VOLUME);
  return [
    ...files
      .filter(({ value }) => !/^\/.*[^/]$/.test(value))
      .map(({ path }) => ({ path, message: 'must be the path of a file in the container, from /' })),
    ...[...mounts, ...files]
      .filter(({ value }) => value.includes(':') || value.split('/').includes('..'))
      .map(({ path }) => ({ path, message: 'must not hold “:” or “..”' })),
    ...repeated<string>([...mounts, ...files].map(({ path, value }) => ({ path, value: value.replace(/\/+$/, '') }))).map(
      ({ path, value }) => ({ path, message: `something is already mounted at ${value}` }),
    ),
    ...(taken < 0 ? [] : [{ path: ['volumes', taken, 'name'], message: `${FILES_VOLUME} is the volume of files:` }]),
  ];
}

function checkLabels(app: App): Problem[] {
  return Object.hasOwn(app.labels ?? {}, 'app') && app.labels?.['app'] !== app.name
    ? [{ path: ['labels', 'app'], message: `is always the app’s name, ${app.name}: Services find its pods by it` }]
    : [];
}
