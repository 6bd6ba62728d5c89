import { appendFileSync } from 'node:fs';
import { planBundle } from '../../src/bundle/plan.ts';
import { writeBundle } from '../../src/bundle/write-bundle.ts';
import { noisyRelease } from './bundles.ts';
import { MemoryOrigins } from './memory-origins.ts';

// A pack in a process of its own, for tests that kill it: argv is the target and the file where opened digests are logged.
const [, , target = '', log = ''] = process.argv;
const { lock, content } = noisyRelease();
const origins = new MemoryOrigins(content, { pause: 3, onOpen: (digest) => appendFileSync(log, `${digest}\n`) });
await writeBundle(planBundle(lock, []), target, origins);
