import { DeliverError } from '../core/errors.ts';
import type { Flow } from '../core/report.ts';
import { collectFlow, type CollectResult } from '../flows/collect.ts';
import { fetchFlow, type FetchResult } from '../flows/fetch.ts';
import { fetchPoolFlow, type PoolFetchResult } from '../flows/fetch-pool.ts';
import { publishFlow, type PublishResult } from '../flows/publish.ts';
import { publishPoolFlow, type PoolPublishResult } from '../flows/publish-pool.ts';
import { parseS3 } from '../store/s3-address.ts';
import type { ObjectStore } from '../store/port.ts';
import { createS3Store } from '../store/s3-store.ts';

// The verbs that reach a bucket. The library that speaks S3 is loaded at the first request, not here.

/** @throws DeliverError E_USAGE when the address is none */
export function composePublish(path: string, to: string): Flow<PublishResult> {
  const { key, store } = bucketAt(to);
  return publishFlow({ path, prefix: key }, store);
}

/** @throws DeliverError E_USAGE when the address is none */
export function composePublishPool(bundle: string, pool: string): Flow<PoolPublishResult> {
  const { key, store } = bucketAt(pool);
  return publishPoolFlow(bundle, key, store);
}

/** @throws DeliverError E_USAGE when the address is none */
export function composeFetch(from: string, folder: string): Flow<FetchResult> {
  const { key, store } = bucketAt(from);
  return fetchFlow({ key, folder }, store);
}

/** @param from the pool, a slash, and `<name>-<version>`. @throws DeliverError E_USAGE */
export function composeFetchPool(from: string, folder: string): Flow<PoolFetchResult> {
  const { key, store } = bucketAt(from);
  const slash = key.lastIndexOf('/');
  const release = key.slice(slash + 1);
  if (release === '') {
    throw new DeliverError('E_USAGE', {
      what: 'Which release of the pool?',
      fix: 'Name it after the pool: s3://BUCKET/POOL/NAME-VERSION.',
    });
  }
  return fetchPoolFlow({ prefix: slash < 0 ? '' : key.slice(0, slash), release, folder }, store);
}

/** @throws DeliverError E_USAGE when the address is none */
export function composeCollect(pool: string, flags: { readonly hours: number; readonly dryRun: boolean }): Flow<CollectResult> {
  const { key, store } = bucketAt(pool);
  return collectFlow({ prefix: key, window: flags.hours * 3600_000, dryRun: flags.dryRun }, store);
}

function bucketAt(location: string): { readonly key: string; readonly store: ObjectStore } {
  const address = parseS3(location, process.env);
  return { key: address.key, store: createS3Store(address, process.env) };
}
