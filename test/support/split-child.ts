import { repairFlow } from '../../src/flows/repair.ts';
import { run, splitBundle } from './carry.ts';

// Splits or repairs in a process of its own, for tests that kill it. Arguments: the verb, the bundle or folder.
const [, , verb = '', path = ''] = process.argv;
process.stdout.write('begins\n');
if (verb === 'split') await splitBundle(path);
else await run(repairFlow({ folder: path }));
