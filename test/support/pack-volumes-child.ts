import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { planBundle } from '../../src/bundle/plan.ts';
import { noisyBundle } from './carry.ts';
import { MemoryOrigins } from './memory-origins.ts';
import { packVolumes } from './pack-volumes.ts';

// A pack into volumes in a process of its own, for tests that kill it. Arguments: the folder; the file where opened digests
// are logged; how many chunks to serve before it says so and serves no more.
const [, , folder = '', log = '', most = 'Infinity'] = process.argv;
const { lock, content } = noisyBundle();
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
process.stdout.write('begins\n');
await packVolumes(planBundle(lock, []), folder, origins);
