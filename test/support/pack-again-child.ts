import { readFileSync } from 'node:fs';
import { planBundle } from '../../src/bundle/plan.ts';
import { writeBundle } from '../../src/bundle/write-bundle.ts';
import type { Report } from '../../src/core/report.ts';
import { LockSchema } from '../../src/lock/lock-schema.ts';
import { MemoryOrigins } from './memory-origins.ts';

// A pack from earlier bundles alone in a process of its own, for tests that kill it. Arguments: the target; a file with the lock
// as JSON; the folder of the earlier bundles; after how many bytes it says so on standard output and does nothing more, while
// its threads go on.
const [, , target = '', lockPath = '', folder = '', most = ''] = process.argv;
const lock = LockSchema.parse(JSON.parse(readFileSync(lockPath, 'utf8')));
const report: Report = {
  progress: ({ done }) => {
    if (done <= Number(most)) return;
    process.stdout.write('waiting to be killed\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
  },
  note: () => undefined,
};
await writeBundle(planBundle(lock, []), target, new MemoryOrigins(new Map()), { near: { folder }, concurrency: 1, report });
