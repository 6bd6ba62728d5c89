import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isDeliverError } from '../../../src/core/errors.ts';
import { loadRelease } from '../../../src/manifest/load-release.ts';
import { folderWith } from '../../support/files.ts';
import { app, releaseText } from '../../support/releases.ts';

async function details(text: string): Promise<readonly string[]> {
  const folder = await folderWith({ 'suite.yaml': text });
  try {
    await loadRelease(join(folder, 'suite.yaml'));
  } catch (error) {
    if (!isDeliverError(error)) throw error;
    return [error.code, ...(error.facts.details ?? []).map((line) => line.replace(`${folder}/`, ''))];
  }
  return [];
}

const detailsOf = (fields: Readonly<Record<string, unknown>>): Promise<readonly string[]> => details(releaseText(fields));

describe('a release manifest', () => {
  it('is accepted as the samples have it', async () => {
    const { release, folder } = await loadRelease('manifests/gatekeeper-suite.yaml');
    expect(release.apps?.map(({ name }) => name)).toEqual(['gatekeeper', 'notice']);
    expect(folder).toBe(join(process.cwd(), 'manifests'));
  });

  it('reports every problem at once, in the order of the file, as file:line:col', async () => {
    const text = `apiVersion: deliver/v1
kind: Release
metadata: { name: suite, version: 1.0 }
platfroms: [linux/amd64]
apps:
  - name: web
    namespace: project
    kind: Deploymnt
    image: example.org/web:1
    prots: []
  - name: job
    namespace: project
    kind: CronJob
    image: Not/Good
    dependsOn: [wep]
    env: { PORT: 5 }
`;
    expect(await details(text)).toEqual([
      'E_SCHEMA',
      'suite.yaml:1:1  platforms: is missing',
      'suite.yaml:3:26  metadata.version: must be text; put it in quotes',
      'suite.yaml:4:1  platfroms: unknown key. Did you mean “platforms”?',
      'suite.yaml:8:5  apps[0].kind: must be StatefulSet, Deployment, DaemonSet, Job, CronJob, Rollout. Did you mean “Deployment”?',
      'suite.yaml:10:5  apps[0].prots: unknown key. Did you mean “ports”?',
      expect.stringMatching(/^suite\.yaml:14:5 {2}apps\[1\]\.image: “Not\/Good” is not an image reference/),
      'suite.yaml:15:17  apps[1].dependsOn[0]: there is no app, external, chart or manifests “wep”. Did you mean “web”?',
      'suite.yaml:16:12  apps[1].env.PORT: must be text; put it in quotes',
    ]);
  });

  it.each([
    ['a tab', 'apiVersion: deliver/v1\nmetadata:\n\tname: x\n', /^suite\.yaml:3:1 {2}/],
    ['a key that is there twice', 'kind: Release\nkind: Release\n', /^suite\.yaml:2:1 {2}this key is here twice/],
    ['a second document', `${releaseText()}---\nkind: Release\n`, /second document/],
    ['an unknown tag', 'apiVersion: !secret x\n', /^suite\.yaml:1:13 {2}/],
    ['an open bracket', 'apiVersion: [\n', /^suite\.yaml:2:1 {2}/],
  ])('is refused with the place of %s', async (_, text, expected) => {
    const [code, line] = await details(text);
    expect(code).toBe('E_YAML');
    expect(line).toMatch(expected);
  });

  it('is refused when aliases make it explode', async () => {
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...['b', 'c', 'd'].map(
        (key, at) =>
          `${key}: &${key} [${Array(9)
            .fill(`*${'abc'[at] ?? ''}`)
            .join(', ')}]`,
      ),
    ].join('\n');
    expect((await details(`${bomb}\n`))[0]).toBe('E_YAML');
  });

  it('is refused with one clear word when it is something else', async () => {
    const folder = await folderWith({
      'kk.yaml': 'apiVersion: kubekey.kubesphere.io/v1alpha2\nkind: Inventory\n',
      'site.yaml': 'apiVersion: deliver/v1\nkind: Site\nmetadata: { name: x }\n',
      'empty.yaml': '',
    });
    await expect(loadRelease(join(folder, 'kk.yaml'))).rejects.toThrowWithCode('E_NOT_YET', 'kind Manifest and Cluster');
    await expect(loadRelease(join(folder, 'site.yaml'))).rejects.toThrowWithCode(
      'E_SCHEMA',
      'is a Site, and a Release is needed',
    );
    await expect(loadRelease(join(folder, 'empty.yaml'))).rejects.toThrowWithCode('E_SCHEMA', 'is no release file');
    await expect(loadRelease(join(folder, 'none.yaml'))).rejects.toThrowWithCode('E_FILE_NOT_FOUND');
    await expect(loadRelease(folder)).rejects.toThrowWithCode('E_FILE_UNREADABLE');
  });

  it.each([
    [
      'a name that is taken',
      { apps: [app()], externals: [{ name: 'web', namespace: 'p', ports: [{ port: 1 }], addresses: '${site.externals.x}' }] },
      'E_SCHEMA',
      'the name “web” is taken',
    ],
    [
      'a circle of apps',
      { apps: [app({ dependsOn: ['b'] }), app({ name: 'b', dependsOn: ['web'] })] },
      'E_GRAPH',
      'web → b → web',
    ],
    ['an app that waits for itself', { apps: [app({ dependsOn: ['web'] })] }, 'E_GRAPH', 'web → web'],
    [
      'an ingress to no port',
      { apps: [app({ ports: [{ name: 'http', port: 80 }], ingress: [{ host: 'a.b', port: 'htpp' }] })] },
      'E_SCHEMA',
      'no port htpp; it has http (80). Did you mean “http”?',
    ],
    [
      'a node port of no port',
      { apps: [app({ ports: [{ name: 'http', port: 80 }], service: { nodePorts: { https: 30000 } } })] },
      'E_SCHEMA',
      'no port named “https”. Did you mean “http”?',
    ],
    [
      'a mount of no volume',
      { apps: [app({ sidecars: [{ name: 's', image: 'a.b/c:1', mounts: { data: '/d' } }] })] },
      'E_SCHEMA',
      'no volume “data”',
    ],
    ['a CronJob without schedule', { apps: [app({ kind: 'CronJob' })] }, 'E_SCHEMA', 'needs a schedule'],
    ['a service without ports', { apps: [app({ service: {} })] }, 'E_SCHEMA', 'a service needs ports'],
    ['a probe of no port', { apps: [app({ probes: { readiness: { http: '/' } } })] }, 'E_SCHEMA', 'the app has no ports'],
    [
      'an external on loopback',
      { externals: [{ name: 'r', namespace: 'p', ports: [{ port: 1 }], addresses: [{ ip: '127.0.0.1' }] }] },
      'E_SCHEMA',
      'loopback',
    ],
    [
      'two kinds of one volume',
      { apps: [app({ volumes: [{ name: 'v', mount: '/v', hostPath: '/v', emptyDir: {} }] })] },
      'E_SCHEMA',
      'exactly one of',
    ],
    ['hooks', { apps: [app({ hooks: { afterReady: [] } })] }, 'E_NOT_YET', 'hooks are not supported yet'],
    ['a Rollout', { apps: [app({ kind: 'Rollout' })] }, 'E_NOT_YET', 'Rollout is not supported yet'],
    ['replicas of a DaemonSet', { apps: [app({ kind: 'DaemonSet', replicas: 2 })] }, 'E_SCHEMA', 'a DaemonSet has no replicas'],
    [
      'a schedule of four fields',
      { apps: [app({ kind: 'CronJob', schedule: '0 3 * *' })] },
      'E_SCHEMA',
      'must have five fields: minute, hour',
    ],
    [
      'a StatefulSet whose pods would have no name',
      { apps: [app({ kind: 'StatefulSet', name: 'a'.repeat(53) })] },
      'E_SCHEMA',
      'at most 52 characters',
    ],
    [
      'a Service that begins with a digit',
      { apps: [app({ name: '7zip', ports: [{ name: 'http', port: 80 }] })] },
      'E_SCHEMA',
      'must begin with a letter',
    ],
    ['a port name of digits', { apps: [app({ ports: [{ name: '8080', port: 8080 }] })] }, 'E_SCHEMA', 'one letter at least'],
    [
      'node ports of an inner service',
      { apps: [app({ ports: [{ name: 'http', port: 80 }], service: { nodePorts: { http: 30080 } } })] },
      'E_SCHEMA',
      'a ClusterIP service has none; set type: NodePort',
    ],
    [
      'a variable name with “=”',
      { apps: [app({ sidecars: [{ name: 's', image: 'a.b/c:1', env: { 'A=B': '' } }] })] },
      'E_SCHEMA',
      'is no name of a variable',
    ],
    ['a secret that is no key', { apps: [app({ secrets: { 'A B': '${secret.a}' } })] }, 'E_SCHEMA', 'must be letters, digits'],
    ['a file that climbs', { apps: [app({ files: { '/etc/../x': './x' } })] }, 'E_SCHEMA', 'must not hold “:” or “..”'],
    [
      'a file on a volume',
      { apps: [app({ volumes: [{ name: 'v', mount: '/a/', emptyDir: {} }], files: { '/a': './x' } })] },
      'E_SCHEMA',
      'something is already mounted at /a',
    ],
    ['another label app', { apps: [app({ labels: { app: 'other' } })] }, 'E_SCHEMA', 'is always the app’s name, web'],
    [
      'nameless ports of an external',
      {
        externals: [{ name: 'r', namespace: 'p', ports: [{ port: 1 }, { name: 'b', port: 2 }], addresses: [{ ip: '10.0.0.1' }] }],
      },
      'E_SCHEMA',
      'externals[0].ports[0].name: is missing',
    ],
    [
      'an output of an app that may come later',
      { apps: [app({ name: 'base', ports: [{ name: 'http', port: 80 }] }), app({ env: { A: '${outputs.base.clusterIP}' } })] },
      'E_VARIABLE',
      'add it to dependsOn',
    ],
    [
      'an output of a headless app',
      {
        apps: [
          app({ name: 'base', ports: [{ name: 'http', port: 80 }], service: { type: 'Headless' } }),
          app({ env: { A: '${outputs.base.clusterIP}' }, dependsOn: ['base'] }),
        ],
      },
      'E_VARIABLE',
      'base has no service with a cluster IP',
    ],
    [
      'an output where a plan could not leave it open',
      {
        apps: [
          app({ name: 'base', ports: [{ name: 'http', port: 80 }] }),
          app({ labels: { base: '${outputs.base.clusterIP}' }, dependsOn: ['base'] }),
        ],
      },
      'E_VARIABLE',
      'under env, command, args and secrets of an app only',
    ],
    ['an unknown version', { versions: { web: '1' }, images: ['a.b/c:${versions.wep}'] }, 'E_VARIABLE', 'Did you mean “web”?'],
    ['an unknown scope', { apps: [app({ args: ['echo ${HOME}'] })] }, 'E_VARIABLE', 'For a literal ${ write $${'],
    [
      'an unknown key of the site',
      { apps: [app({ env: { A: '${site.storagClass}' } })] },
      'E_VARIABLE',
      'Did you mean “storageClass”?',
    ],
    ['an output of no app', { apps: [app({ env: { A: '${outputs.wep.clusterIP}' } })] }, 'E_VARIABLE', 'Did you mean “web”?'],
    [
      'a secret where it would show',
      { apps: [app({ env: { A: '${secret.a}' } })] },
      'E_VARIABLE',
      'under secrets: of an app only',
    ],
    ['an image that only the site knows', { images: ['${site.values.image}'] }, 'E_VARIABLE', 'must be known when packing'],
    [
      'a URL with a password',
      { files: [{ name: 'f', url: 'https://me:pw@example.org/f' }] },
      'E_SCHEMA',
      'would travel inside the bundle',
    ],
  ])('is refused for %s', async (_, fields, code, text) => {
    const [found, ...lines] = await detailsOf(fields);
    expect(lines.join('\n')).toContain(text);
    expect(found).toBe(code);
    expect(lines[0]).toMatch(/^suite\.yaml:\d+:\d+ {2}/);
  });

  it('that goes round in itself is refused as YAML', async () => {
    const error: unknown = await details(`${releaseText()}apps: &apps [*apps]\n`).catch((thrown: unknown) => thrown);
    expect(error).toEqual(['E_YAML']);
  });

  it('takes outputs wherever text is text, also in sidecars', async () => {
    const output = '${outputs.base.clusterIP}';
    const fields = {
      apps: [
        app({ name: 'base', ports: [{ name: 'http', port: 80 }] }),
        app({
          args: [output],
          secrets: { DSN: `redis://\${secret.db}@${output}` },
          sidecars: [{ name: 's', image: 'a.b/c:1', env: { A: output } }],
          dependsOn: ['base'],
        }),
      ],
    };
    expect(await detailsOf(fields)).toEqual([]);
  });

  it('takes a Kubernetes version alone, shell variables that are escaped, and sites’ free values', async () => {
    const fields = {
      kubernetes: { version: 'v1.34.4' },
      apps: [
        app({ args: ['echo $${HOME} $$ $(POD)'], env: { A: '${site.values.any.thing[0]}' }, secrets: { P: '${secret.db}' } }),
      ],
    };
    expect(await detailsOf(fields)).toEqual([]);
  });
});
