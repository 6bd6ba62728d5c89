import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { planBundle } from '../../src/bundle/plan.ts';
import { writeBundle } from '../../src/bundle/write-bundle.ts';
import { noisyRelease } from './bundles.ts';
import { MemoryOrigins } from './memory-origins.ts';

// A pack in a process of its own, for tests that kill it. Arguments: the target; the file where opened digests are logged;
// how many chunks to serve before it says so on standard output and serves no more.
const [, , target = '', log = '', most = 'Infinity'] = process.argv;
const { lock, content } = noisyRelease();
let chunks = 0;
const origins = new MemoryOrigins(content, {
  onOpen: (digest) => {
    appendFileSync(log, `${digest}\n`);
  },
  beforeChunk: async () => {
    chunks += 1;
    if (chunks <= Number(most)) return;
    process.stdout.write('waiting to be killed\n');
    await sleep(60_000);
  },
});
await writeBundle(planBundle(lock, []), target, origins);
