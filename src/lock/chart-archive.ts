import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { DeliverError, messageOf } from '../core/errors.ts';
import { badChart, parseChartYaml, type ChartYaml } from './chart-yaml.ts';
import { gather } from './small-blob.ts';

/** Helm refuses larger charts too (helm, pkg/chart/loader/archive). */
const MAX_UNPACKED = 100 * 1024 * 1024;
const MAX_CHART_YAML = 5 * 1024 * 1024;

/** Reads Chart.yaml out of a packaged chart. @throws DeliverError E_CHART */
export async function chartYamlOf(archive: Uint8Array, where: string): Promise<ChartYaml> {
  const entries = extract();
  let unpacked = 0;
  const gunzip = createGunzip();
  gunzip.on('data', (chunk: Buffer) => {
    unpacked += chunk.byteLength;
    if (unpacked > MAX_UNPACKED) gunzip.destroy(new Error('it unpacks to more than 100 MiB'));
  });
  gunzip.on('error', (error) => {
    entries.destroy(error);
  });
  Readable.from([archive]).pipe(gunzip).pipe(entries);
  try {
    for await (const entry of entries) {
      const { name, size } = entry.header;
      if (/^(?:\.\/)?[^/]+\/Chart\.yaml$/.test(name)) {
        if (size > MAX_CHART_YAML) throw badChart(where, 'its Chart.yaml is larger than 5 MiB');
        return parseChartYaml((await gather(entry as AsyncIterable<Uint8Array>)).toString('utf8'), where);
      }
      entry.resume();
    }
  } catch (error) {
    if (error instanceof DeliverError) throw error;
    throw badChart(where, `it is no gzipped tar: ${messageOf(error)}`);
  } finally {
    gunzip.destroy();
    entries.destroy();
  }
  throw badChart(where, 'it has no Chart.yaml');
}
