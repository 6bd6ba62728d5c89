import { collectGarbage } from '../../src/bucket/collect.ts';
import { parseS3 } from '../../src/store/s3-address.ts';
import { createS3Store } from '../../src/store/s3-store.ts';

// A garbage collection without a window, in a process of its own, for tests that kill it. Argument: the address of the pool.
const [, , pool = ''] = process.argv;
const { key, ...address } = parseS3(pool, process.env);
const store = createS3Store({ ...address, key: '' }, process.env);
await collectGarbage(store, key, { window: 0, dryRun: false, signal: new AbortController().signal });
