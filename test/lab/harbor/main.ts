/**
 * The Harbor front as a process: node test/lab/harbor/main.ts --config FILE.json
 * Prints one line with its URL when it answers. SIGTERM or SIGINT ends it; kill -9 loses nothing that was acknowledged.
 */
import { parseArgs } from 'node:util';
import { readConfig } from './config.ts';
import { startHarbor } from './server.ts';

const { values } = parseArgs({ options: { config: { type: 'string' } } });
if (values.config === undefined) {
  process.stderr.write('usage: main.ts --config FILE.json\n');
  process.exit(2);
}
const running = await startHarbor(readConfig(values.config));
process.stdout.write(`harbor front at ${running.url}\n`);
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void running.close().then(() => process.exit(0));
  });
}
