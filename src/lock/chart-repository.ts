import semver from 'semver';
import { parse } from 'yaml';
import { z } from 'zod';
import { messageOf } from '../core/errors.ts';
import type { Chart } from '../manifest/release-schema.ts';
import type { FileSource } from '../store/port.ts';
import { badChart } from './chart-yaml.ts';
import { gather } from './small-blob.ts';

const Entry = z.looseObject({ version: z.string(), urls: z.array(z.string()).optional(), digest: z.string().optional() });
const Index = z.looseObject({ entries: z.record(z.string(), z.unknown()) });
type Entry = z.infer<typeof Entry>;

/** Where a repository says that a chart version lies. */
export interface RepositoryChart {
  readonly version: string;
  readonly url: string;
  /** Hex sha256, where the repository says it. */
  readonly sha256?: string | undefined;
}

/**
 * Looks a chart up in the index.yaml of an HTTP repository: the exact version, else the newest in the range, else the newest.
 * @throws DeliverError E_CHART, E_SOURCE*
 */
export async function findInRepository(
  chart: Chart & { repo: string },
  files: FileSource,
  signal?: AbortSignal,
): Promise<RepositoryChart> {
  const base = chart.repo.endsWith('/') ? chart.repo : `${chart.repo}/`;
  const indexUrl = new URL('index.yaml', base).href;
  const entries = entriesOf((await gather(await files.open(indexUrl, signal))).toString('utf8'), chart, indexUrl);
  const found = pick(entries, chart.version);
  if (found === undefined) {
    const there = entries.slice(0, 5).map(({ version }) => version);
    throw badChart(
      chart.name,
      `${indexUrl} has no version ${chart.version ?? ''} of ${chart.chart}; it has ${there.join(', ')}${entries.length > 5 ? ' …' : ''}`,
    );
  }
  const [url] = found.urls ?? [];
  if (url === undefined) throw badChart(chart.name, `${indexUrl} gives no address for ${chart.chart} ${found.version}`);
  return { version: found.version, url: new URL(url, base).href, sha256: found.digest };
}

function entriesOf(text: string, chart: Chart, indexUrl: string): Entry[] {
  let raw: unknown;
  try {
    raw = parse(text, { maxAliasCount: 100, prettyErrors: false, version: '1.1' });
  } catch (cause) {
    throw badChart(chart.name, `${indexUrl} is not YAML: ${messageOf(cause)}`);
  }
  const index = Index.safeParse(raw);
  if (!index.success) throw badChart(chart.name, `${indexUrl} is not the index of a chart repository`);
  const entries = z.array(Entry).safeParse(index.data.entries[chart.chart]);
  if (!entries.success) throw badChart(chart.name, `${indexUrl} has no chart named ${chart.chart}`);
  return entries.data;
}

function pick(entries: readonly Entry[], wanted: string | undefined): Entry | undefined {
  const exact = entries.find(({ version }) => version === wanted);
  if (exact !== undefined) return exact;
  const byVersion = new Map(
    entries.flatMap((entry) => (semver.valid(entry.version) === null ? [] : [[entry.version, entry] as const])),
  );
  const newest = semver.maxSatisfying([...byVersion.keys()], wanted ?? '*');
  return newest === null ? undefined : byVersion.get(newest);
}
