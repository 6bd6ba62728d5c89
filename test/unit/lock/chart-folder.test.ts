import { symlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';
import { chartYamlOf } from '../../../src/lock/chart-archive.ts';
import { packChart } from '../../../src/lock/chart-folder.ts';
import { storedGzip } from '../../../src/lock/stored-gzip.ts';
import { chartArchive, chartFiles } from '../../support/charts.ts';
import { folderWith } from '../../support/files.ts';
import { noise } from '../../support/images.ts';

const names = (archive: Buffer): string[] =>
  [
    ...gunzipSync(archive)
      .toString('latin1')
      .matchAll(/demo\/[\w./-]+/g),
  ].map(([name]) => name);

describe('packing a chart folder', () => {
  it('gives the same bytes whenever and wherever it is done', async () => {
    const first = await folderWith(chartFiles());
    const second = await folderWith(Object.fromEntries(Object.entries(chartFiles()).reverse()));
    await utimes(join(second, 'values.yaml'), 1, 1);
    expect((await packChart(second)).archive).toEqual((await packChart(first)).archive);
    expect(digestOf((await packChart(first)).archive)).toBe(
      'sha256:856e12b6f04de2d2077b58bb994a62e26539bbb464b7958c111e2eb27b99f929',
    );
  });

  it('makes an archive that can be read again', async () => {
    const { archive } = await packChart(await folderWith(chartFiles()));
    expect(await chartYamlOf(archive, 'demo')).toMatchObject({ name: 'demo', version: '1.2.3' });
    expect(names(archive)).toEqual(['demo/Chart.yaml', 'demo/templates/deployment.yaml', 'demo/values.yaml']);
  });

  it('leaves out what .helmignore says', async () => {
    const extra = {
      '.helmignore': '# notes\n*.bak\n/docs/\nci/*.yaml\n',
      'a.bak': '',
      'docs/x.md': '',
      'ci/t.yaml': '',
      'ci/t.txt': '',
      'templates/.swp': '',
    };
    const { archive } = await packChart(await folderWith({ ...chartFiles(), ...extra }));
    expect(names(archive)).not.toEqual(expect.arrayContaining(['demo/a.bak']));
    expect(names(archive).sort()).toEqual([
      'demo/.helmignore',
      'demo/Chart.yaml',
      'demo/ci/t.txt',
      'demo/templates/deployment.yaml',
      'demo/values.yaml',
    ]);
  });

  it('asks for dependencies that are not there', async () => {
    const dependencies = [{ name: 'redis', version: '^1.0.0', repository: 'https://charts.example.org' }];
    const folder = await folderWith(chartFiles({ dependencies }));
    await expect(packChart(folder)).rejects.toThrowWithCode('E_CHART', `helm dependency build ${folder}`);
    const whole = await folderWith({ ...chartFiles({ dependencies }), 'charts/redis-1.0.4.tgz': 'x' });
    await expect(packChart(whole)).resolves.toBeDefined();
  });

  it('refuses links and folders that are no chart', async () => {
    const folder = await folderWith(chartFiles());
    await symlink('/etc/passwd', join(folder, 'templates/p.yaml'));
    await expect(packChart(folder)).rejects.toThrowWithCode('E_CHART', 'is a link');
    await expect(packChart(await folderWith())).rejects.toThrowWithCode('E_FILE_NOT_FOUND', 'no Chart.yaml');
  });

  it('reads Chart.yaml as Helm does, and says when it can’t', async () => {
    expect(
      (await chartYamlOf(await chartArchive({ 'Chart.yaml': 'name: a\nversion: 1.0.0\nappVersion: 1.10\n' }), 'a')).json,
    ).toMatchObject({ appVersion: '1.10' });
    await expect(chartYamlOf(await chartArchive({ 'Chart.yaml': 'name: a\n' }), 'a')).rejects.toThrowWithCode(
      'E_CHART',
      'version',
    );
    await expect(chartYamlOf(await chartArchive({ 'values.yaml': '' }), 'a')).rejects.toThrowWithCode(
      'E_CHART',
      'has no Chart.yaml',
    );
    await expect(chartYamlOf(Buffer.from('hello'), 'a')).rejects.toThrowWithCode('E_CHART', 'no gzipped tar');
  });
});

describe('gzip without compression', () => {
  it.each([0, 1, 65535, 65536, 200_000])('holds %i bytes', (size) => {
    const bytes = noise(size, 'gzip');
    expect(gunzipSync(storedGzip(bytes)).equals(bytes)).toBe(true);
  });
});
