import type { ComponentName, ComponentVersions } from '../component-schema.ts';
import type { Findings } from './findings.ts';
import type { KubeKeyManifest } from './manifest-schema.ts';
import type { JsonPath } from '../problem.ts';

const AT: JsonPath = ['spec', 'components'];

/** KubeKey's name → ours, where a version is all there is to say. */
const SAME: readonly (readonly [theirs: Exclude<keyof Components, 'containerRuntimes'>, ours: ComponentName])[] = [
  ['cni', 'cni-plugins'],
  ['crictl', 'crictl'],
  ['helm', 'helm'],
  ['etcd', 'etcd'],
  ['harbor', 'harbor'],
  ['docker-registry', 'registry'],
  ['docker-compose', 'docker-compose'],
  ['calicoctl', 'calicoctl'],
];

/** What KubeKey brings without naming it, and a site can’t be without. */
const NEEDED = { containerd: '1.7.28', runc: 'v1.3.0', docker: '24.0.9', 'docker-compose': 'v2.2.2' } as const;

/** `docker-registry: 2` is how KubeKey names the image; the last program of that line is this. */
const REGISTRY_2 = '2.8.3';

type Components = NonNullable<KubeKeyManifest['spec']['components']>;

/** The components of a Manifest as ours. */
export function releaseComponents(given: Components, findings: Findings): ComponentVersions {
  const found: ComponentVersions = {};
  for (const [theirs, ours] of SAME) {
    const version = given[theirs]?.version;
    if (version !== undefined) found[ours] = version;
  }
  if (found.registry === '2') {
    found.registry = REGISTRY_2;
    findings.note([...AT, 'docker-registry', 'version'], `“2” is taken as ${REGISTRY_2}, the last of that line`);
  }
  (given.containerRuntimes ?? []).forEach((runtime, index) => {
    addRuntime(found, runtime, [...AT, 'containerRuntimes', index], findings);
  });
  addNeeded(found, findings);
  return found;
}

function addRuntime(
  found: ComponentVersions,
  { type, version }: NonNullable<Components['containerRuntimes']>[number],
  path: JsonPath,
  findings: Findings,
): void {
  if (type === 'crio' || type === 'isula') {
    findings.problem([...path, 'type'], 'is not supported: deliver installs containerd', 'E_NOT_YET');
  } else if (found[type] !== undefined) {
    findings.problem(path, `a second ${type}; a release carries one`);
  } else {
    found[type] = version;
  }
}

function addNeeded(found: ComponentVersions, findings: Findings): void {
  const names: (keyof typeof NEEDED)[] = [
    'containerd',
    'runc',
    ...(found.harbor === undefined ? [] : (['docker', 'docker-compose'] as const)),
  ];
  const added = names.filter((name) => found[name] === undefined);
  for (const name of added) found[name] = NEEDED[name];
  if (added.length > 0) {
    findings.note(AT, `not named but needed, so added: ${added.map((name) => `${name} ${NEEDED[name]}`).join(', ')}`);
  }
}
