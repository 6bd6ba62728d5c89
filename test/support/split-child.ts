import { readFile } from 'node:fs/promises';
import { repairFlow } from '../../src/flows/repair.ts';
import { verifyCarryFlow } from '../../src/flows/verify-carry.ts';
import { run, splitBundle } from './carry.ts';

// Splits, repairs, verifies or just reads in a process of its own, for tests that kill it or count what it reads.
// Arguments: the verb, the bundle, folder or file. The last line is how many bytes the process has read.
const [, , verb = '', path = ''] = process.argv;
process.stdout.write('begins\n');
if (verb === 'split') await splitBundle(path);
else if (verb === 'repair') await run(repairFlow({ folder: path }));
else if (verb === 'verify') await run(verifyCarryFlow({ bundlePath: path, trust: [], allowUnsigned: true }));
else await readFile(path);
process.stdout.write(/^rchar: (\d+)/.exec(await readFile('/proc/self/io', 'utf8'))?.[1] ?? '');
