import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { importKubeKey, type ImportResult } from '../../../src/flows/import-kubekey.ts';
import { loadRelease } from '../../../src/manifest/load-release.ts';
import { loadSite } from '../../../src/manifest/load-site.ts';
import { secretsOf } from '../../../src/manifest/secrets.ts';
import { folderWith } from '../../support/files.ts';

const SCHEMAS = join(process.cwd(), 'docs/schema');

/** The Cluster of the article with its host names corrected, one host with a key beside the file. */
async function folderWithCluster(): Promise<string> {
  const text = (await readFile('test/fixtures/kubekey/config-sample.yaml', 'utf8')).replaceAll('.py', '.ys');
  const keyed = text.replace('user: kubesphere, password: "Kubesphere123"', 'privateKeyPath: keys/id');
  return folderWith({ 'config.yaml': keyed });
}

const run = (path: string, output: string): Promise<ImportResult> => importKubeKey({ path, output, schemas: SCHEMAS });

it('writes a site that is what the Cluster is, with its passwords in a file of their own', async () => {
  const folder = await folderWithCluster();
  const output = join(folder, 'sites');
  const { files } = await run(join(folder, 'config.yaml'), output);
  expect(files.map(({ holds }) => holds)).toEqual(['secrets', 'site']);
  const path = join(output, 'sample.site.yaml');
  const text = await readFile(path, 'utf8');
  expect(text).toMatch(/^# yaml-language-server: \$schema=\S+site\.schema\.json\napiVersion: deliver\/v1\nkind: Site\n/);
  expect(text).not.toContain('Kubesphere123');
  const [theirs, ours] = await Promise.all([loadSite(join(folder, 'config.yaml')), loadSite(path)]);
  const hosts = theirs.site.hosts?.map((host) => (host.key === undefined ? host : { ...host, key: '../keys/id' }));
  expect(ours.site).toEqual({ ...theirs.site, hosts, secrets: './sample.secrets.yaml' });
  expect((await stat(join(output, 'sample.secrets.yaml'))).mode & 0o777).toBe(0o600);
  const secrets = await secretsOf(ours.site, ours.folder, {});
  expect([...(theirs.inlineSecrets ?? [])].map(([name, value]) => value.reveal() === secrets.get(name).reveal())).toEqual(
    Array(5).fill(true),
  );
});

it('writes a release that is what the Manifest is', async () => {
  const output = await folderWith();
  await run('test/fixtures/kubekey/manifest-sample.yaml', output);
  const [theirs, ours] = await Promise.all([
    loadRelease('test/fixtures/kubekey/manifest-sample.yaml'),
    loadRelease(join(output, 'sample.yaml')),
  ]);
  expect(ours.release).toEqual(theirs.release);
});

it('overwrites nothing, and leaves nothing half done', async () => {
  const folder = await folderWithCluster();
  const output = await folderWith({ 'sample.site.yaml': 'mine' });
  await expect(run(join(folder, 'config.yaml'), output)).rejects.toThrowWithCode('E_OUTPUT', 'never overwritten');
  expect(await readdir(output)).toEqual(['sample.site.yaml']);
  expect(await readFile(join(output, 'sample.site.yaml'), 'utf8')).toBe('mine');
});

it('is for files of KubeKey', async () => {
  const output = await folderWith();
  await expect(run('manifests/gatekeeper-suite.yaml', output)).rejects.toThrowWithCode('E_SCHEMA', 'is not a file of KubeKey');
  await expect(run(join(output, 'none.yaml'), output)).rejects.toThrowWithCode('E_FILE_NOT_FOUND', 'The KubeKey file');
});
