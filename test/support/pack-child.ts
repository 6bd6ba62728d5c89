import { planBundle } from '../../src/bundle/plan.ts';
import { writeBundle } from '../../src/bundle/write-bundle.ts';
import { noisyRelease } from './bundles.ts';
import { stallingOrigins } from './stalling-origins.ts';

// A pack in a process of its own, for tests that kill it. Arguments: the target; the file where opened digests are logged;
// how many chunks to serve before it says so on standard output and serves no more.
const [, , target = '', log = '', most = 'Infinity'] = process.argv;
const { lock, content } = noisyRelease();
const origins = stallingOrigins(content, log, Number(most));
await writeBundle(planBundle(lock, []), target, origins);
