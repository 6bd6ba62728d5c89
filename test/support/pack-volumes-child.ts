import { planBundle } from '../../src/bundle/plan.ts';
import { noisyBundle } from './carry.ts';
import { packVolumes } from './pack-volumes.ts';
import { stallingOrigins } from './stalling-origins.ts';

// A pack into volumes in a process of its own, for tests that kill it. Arguments: the folder; the file where opened digests
// are logged; how many chunks to serve before it says so and serves no more.
const [, , folder = '', log = '', most = 'Infinity'] = process.argv;
const { lock, content } = noisyBundle();
const origins = stallingOrigins(content, log, Number(most));
process.stdout.write('begins\n');
await packVolumes(planBundle(lock, []), folder, origins);
