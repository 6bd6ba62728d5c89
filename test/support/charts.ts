import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { stringify } from 'yaml';
import { gather } from '../../src/lock/small-blob.ts';

/** Files of a small chart by path, ready for a folder. */
export function chartFiles(fields: Readonly<Record<string, unknown>> = {}): Record<string, string> {
  return {
    'Chart.yaml': stringify({ apiVersion: 'v2', name: 'demo', version: '1.2.3', ...fields }),
    'values.yaml': 'replicas: 1\n',
    'templates/deployment.yaml': 'kind: Deployment\n',
  };
}

/** A packaged chart as a chart repository serves it. */
export async function chartArchive(files: Readonly<Record<string, string>> = chartFiles(), root = 'demo'): Promise<Buffer> {
  const tar = pack();
  for (const [path, content] of Object.entries(files)) tar.entry({ name: `${root}/${path}` }, content);
  tar.finalize();
  return gzipSync(await gather(tar as AsyncIterable<Uint8Array>));
}
