import { describe, expect, test } from 'vitest';
import { renderApp } from '../../../src/apps/app.ts';
import type { FileContent } from '../../../src/apps/context.ts';
import { fieldAt } from '../../../src/cluster/fields.ts';
import type { KubeObject } from '../../../src/cluster/port.ts';
import { aContext, anApp } from '../../support/apps.ts';

function render(files: Record<string, FileContent>): KubeObject[] {
  const paths = Object.fromEntries(Object.keys(files).map((path) => [path, `./${path}`]));
  return renderApp(anApp({ files: paths }), aContext({ files: new Map(Object.entries(files)) }));
}

const checksum = (objects: readonly KubeObject[]): unknown =>
  fieldAt(objects[1], 'spec', 'template', 'metadata', 'annotations', 'deliver/files-checksum');

describe('files of an app', () => {
  test('come from a ConfigMap, each mounted at its own path', () => {
    const [map, deployment] = render({ '/etc/web/app.yaml': 'a: 1\n', '/etc/motd': 'hello' });
    expect(map).toMatchObject({
      kind: 'ConfigMap',
      metadata: { name: 'web-files' },
      data: { 'etc_web_app.yaml': 'a: 1\n', etc_motd: 'hello' },
    });
    expect(fieldAt(deployment, 'spec', 'template', 'spec', 'containers', 0, 'volumeMounts')).toEqual([
      { name: 'app-files', mountPath: '/etc/motd', subPath: 'etc_motd', readOnly: true },
      { name: 'app-files', mountPath: '/etc/web/app.yaml', subPath: 'etc_web_app.yaml', readOnly: true },
    ]);
  });

  test('that are not text keep every byte', () => {
    const bytes = Uint8Array.from([0xff, 0x00, 0xfe]);
    const [map] = render({ '/logo': bytes, '/bom.txt': new TextEncoder().encode('\ufeffx') });
    expect(map).toMatchObject({ binaryData: { logo: '/wD+' }, data: { 'bom.txt': '\ufeffx' } });
  });

  test('roll the pods when they change, and not otherwise', () => {
    expect(checksum(render({ '/a': '1', '/b': '2' }))).toBe(checksum(render({ '/b': '2', '/a': '1' })));
    expect(checksum(render({ '/a': '1' }))).not.toBe(checksum(render({ '/a': '2' })));
  });

  test('with paths that look alike do not share a key', () => {
    const [map] = render({ '/etc/a_b': '1', '/etc/a/b': '2' });
    expect(Object.values(map?.data ?? {})).toEqual(['2', '1']);
  });

  test('that a ConfigMap can’t hold, or that the bundle lacks, are refused', () => {
    expect(() => render({ '/big': 'x'.repeat(1024 * 1024 + 1) })).toThrowWithCode('E_SCHEMA', '1 MiB');
    expect(() => renderApp(anApp({ files: { '/a': './a' } }), aContext())).toThrowWithCode('E_SCHEMA', '/a');
  });
});
