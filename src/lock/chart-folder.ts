import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pack } from 'tar-stream';
import { DeliverError, messageOf, systemCode } from '../core/errors.ts';
import { badChart, parseChartYaml, type ChartYaml } from './chart-yaml.ts';
import { helmIgnore } from './helm-ignore.ts';
import { gather } from './small-blob.ts';
import { storedGzip } from './stored-gzip.ts';

/** A chart folder as `helm package` would make it, but the same bytes each time. */
export interface PackedChart {
  readonly chart: ChartYaml;
  readonly archive: Buffer;
}

/**
 * Packs a chart folder: names sorted, no times, no owners, no compression, `.helmignore` honoured.
 * @param folder absolute path
 * @throws DeliverError E_FILE_NOT_FOUND, E_CHART
 */
export async function packChart(folder: string): Promise<PackedChart> {
  const chart = parseChartYaml(await readChartYaml(folder), folder);
  const ignored = helmIgnore(await readFile(join(folder, '.helmignore'), 'utf8').catch(() => ''));
  const files = await filesBelow(folder, '', ignored);
  refuseMissingDependencies(folder, chart, files);
  const tar = pack();
  for (const path of files) {
    const content = await readFile(join(folder, path));
    tar.entry({ name: `${chart.name}/${path}`, mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 }, content);
  }
  tar.finalize();
  return { chart, archive: storedGzip(await gather(tar as AsyncIterable<Uint8Array>)) };
}

async function readChartYaml(folder: string): Promise<string> {
  try {
    return await readFile(join(folder, 'Chart.yaml'), 'utf8');
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT' || systemCode(cause) === 'ENOTDIR') {
      throw new DeliverError('E_FILE_NOT_FOUND', {
        what: `There is no chart at ${folder}: it has no Chart.yaml.`,
        fix: 'Name a chart folder, an oci:// reference, or a chart of a repository with repo:.',
        cause,
      });
    }
    throw badChart(folder, messageOf(cause));
  }
}

type Ignored = (path: string, isFolder: boolean) => boolean;

async function filesBelow(top: string, prefix: string, ignored: Ignored): Promise<string[]> {
  const entries = await readdir(join(top, prefix), { withFileTypes: true });
  const found = await Promise.all(
    entries.map(async (entry): Promise<string[]> => {
      const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
      if (ignored(path, entry.isDirectory())) return [];
      if (entry.isDirectory()) return filesBelow(top, path, ignored);
      if (entry.isFile()) return [path];
      throw badChart(top, `${path} is a link or a device`, 'Put a copy of the file in its place, or name it in .helmignore.');
    }),
  );
  return found.flat().sort((a, b) => (a < b ? -1 : 1));
}

/** Charts below charts/ are `name/` or `name-version.tgz`; without them the site would have to ask a repository. */
function refuseMissingDependencies(folder: string, chart: ChartYaml, files: readonly string[]): void {
  const missing = chart.dependencies.filter(
    ({ name }) =>
      !files.some(
        (path) => path === `charts/${name}/Chart.yaml` || (path.startsWith(`charts/${name}-`) && path.endsWith('.tgz')),
      ),
  );
  if (missing.length === 0) return;
  const names = missing.map(({ name, version }) => (version === undefined ? name : `${name} ${version}`)).join(', ');
  throw badChart(folder, `its dependencies are not in charts/: ${names}`, `helm dependency build ${folder}`);
}
