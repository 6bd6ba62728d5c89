import { resolve } from 'node:path';
import { digestOf, isDigest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import { isIndexType } from '../core/oci.ts';
import { canonicalReference, parseReference } from '../core/reference.ts';
import type { Chart } from '../manifest/release-schema.ts';
import type { ImageSource } from '../registry/port.ts';
import type { FileSource } from '../store/port.ts';
import { chartYamlOf } from './chart-archive.ts';
import { packChart } from './chart-folder.ts';
import { findInRepository } from './chart-repository.ts';
import { badChart, type ChartYaml } from './chart-yaml.ts';
import { chartTag, helmArtifact } from './helm-artifact.ts';
import type { LockedChart } from './lock-schema.ts';
import { parseManifest } from './oci-manifest.ts';
import { gather } from './small-blob.ts';

/** Where the connected side gets things. */
export interface ResolvePorts {
  readonly images: ImageSource;
  readonly files: FileSource;
}

export interface ResolveChartOptions {
  /** Absolute folder of the release file. */
  readonly folder: string;
  readonly previous?: LockedChart | undefined;
  readonly signal?: AbortSignal | undefined;
}

const OCI = 'oci://';

/**
 * One chart as an OCI artifact: an oci:// chart as its registry has it, others as Helm would push them.
 * @throws DeliverError E_CHART, E_FILE_NOT_FOUND, E_REFERENCE, E_DIGEST, E_SOURCE*
 */
export async function resolveChart(chart: Chart, ports: ResolvePorts, options: ResolveChartOptions): Promise<LockedChart> {
  if (chart.chart.startsWith(OCI)) return fromRegistry(chart, ports.images, options.signal);
  const { repo } = chart;
  return repo === undefined ? fromFolder(chart, options) : fromRepository({ ...chart, repo }, ports.files, options);
}

async function fromRegistry(chart: Chart, images: ImageSource, signal: AbortSignal | undefined): Promise<LockedChart> {
  const { version } = chart;
  if (version === undefined) throw badChart(chart.name, 'an oci:// chart needs its exact version', 'Add version: to the chart.');
  const reference = parseReference(`${chart.chart.slice(OCI.length)}:${chartTag(version)}`);
  const { reader, repository } = images.locate(reference);
  const served = await reader.manifest(repository, reference.tag ?? '', signal);
  const { digest, size, mediaType } = served.descriptor;
  const key = canonicalReference(reference);
  if (isIndexType(mediaType)) throw badChart(key, 'it is an index, and a chart is one manifest');
  const { config, layers } = parseManifest(mediaType, served.bytes, key);
  const blobs = [config, ...layers].map((blob) => ({ digest: blob.digest, size: blob.size, mediaType: blob.mediaType }));
  return { name: chart.name, version, reference: key, source: `${OCI}${key}`, digest, size, mediaType, blobs };
}

async function fromRepository(
  chart: Chart & { repo: string },
  files: FileSource,
  options: ResolveChartOptions,
): Promise<LockedChart> {
  const found = await findInRepository(chart, files, options.signal);
  const { previous } = options;
  const announced = `sha256:${found.sha256 ?? ''}`;
  // The index pins the archive: what an earlier lock knows about it is still true.
  if (previous?.source === found.url && previous.blobs.some(({ digest }) => digest === announced)) return previous;
  const archive = await gather(await files.open(found.url, options.signal));
  const digest = digestOf(archive);
  if (isDigest(announced) && announced !== digest) {
    throw new DeliverError('E_DIGEST', {
      what: `The chart at ${found.url} is not what its repository says.`,
      why: `expected ${announced}, got ${digest}`,
    });
  }
  const yaml = await chartYamlOf(archive, found.url);
  return locked(chart, yaml, found.url, { digest, size: archive.byteLength }, hostPath(chart.repo));
}

async function fromFolder(chart: Chart, { folder }: ResolveChartOptions): Promise<LockedChart> {
  const { chart: yaml, archive } = await packChart(resolve(folder, chart.chart));
  if (chart.version !== undefined && chart.version !== yaml.version) {
    throw badChart(chart.chart, `its Chart.yaml has version ${yaml.version}, the release wants ${chart.version}`);
  }
  return locked(chart, yaml, chart.chart, { digest: digestOf(archive), size: archive.byteLength }, 'charts.local');
}

function locked(
  chart: Chart,
  yaml: ChartYaml,
  source: string,
  archive: Parameters<typeof helmArtifact>[1],
  prefix: string,
): LockedChart {
  const { manifest, blobs } = helmArtifact(yaml, archive);
  const reference = canonicalReference(parseReference(`${prefix}/${yaml.name.toLowerCase()}:${chartTag(yaml.version)}`));
  return { name: chart.name, version: yaml.version, reference, source, ...manifest, blobs };
}

/** Host and path of a repository as the start of an OCI reference, which knows lower case only. */
function hostPath(repo: string): string {
  const url = new URL(repo);
  const parts = url.pathname.split('/').map((part) =>
    part
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, ''),
  );
  return [url.host, ...parts.filter((part) => part !== '')].join('/');
}
