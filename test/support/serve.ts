import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Bundle } from '../../src/bundle/bundle.ts';
import { openBundle } from '../../src/bundle/open-bundle.ts';
import { planBundle } from '../../src/bundle/plan.ts';
import { catalogOf, type Catalog } from '../../src/serve/catalog.ts';
import { endpointOf } from '../../src/serve/endpoint.ts';
import { httpListener } from '../../src/serve/http-listener.ts';
import type { ListenOptions, Served } from '../../src/serve/port.ts';
import { bundleBytes, type TestRelease } from './bundles.ts';
import { folderWith } from './files.ts';

export interface ServedBundle {
  readonly url: string;
  readonly bundle: Bundle;
  readonly path: string;
  readonly catalog: Catalog;
  readonly log: readonly Served[];
}

export interface ServeTestOptions {
  /** Texts of signatures; nobody judges them here. */
  readonly signatures?: readonly string[];
  readonly tls?: NonNullable<ListenOptions['tls']>;
}

/** The bundle of a release, written to a file and served on loopback until the test ends. */
export async function serveRelease({ lock, content }: TestRelease, options: ServeTestOptions = {}): Promise<ServedBundle> {
  const folder = await folderWith();
  const path = join(folder, 'suite.tar');
  const plan = planBundle(
    lock,
    (options.signatures ?? []).map((armored) => ({ armored })),
  );
  await writeFile(path, bundleBytes(plan, content));
  const bundle = await openBundle(path);
  const catalog = await catalogOf(bundle);
  const log: Served[] = [];
  const { url, close } = await httpListener.listen(
    { host: '127.0.0.1', port: 0, ...(options.tls === undefined ? {} : { tls: options.tls }) },
    endpointOf(bundle, catalog),
    (served) => {
      log.push(served);
    },
  );
  onTestFinished(async () => {
    await close(0);
    await bundle.close();
  });
  return { url, bundle, path, catalog, log };
}
