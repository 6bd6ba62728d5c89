/**
 * In the image goharbor/harbor-core of the lab's stand-in: the Harbor front, with a “database” that, as Harbor's, takes the
 * passwords at its first start only, and that an older version can't read once a newer one had it.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { HarborConfig } from '../harbor/config.ts';
import { startHarbor } from '../harbor/server.ts';

interface Prepared extends HarborConfig {
  version: string;
  first: { admin: string; database: string };
}
interface Database {
  admin: string;
  password: string;
  minor: number;
}

const FILE = '/database/database.json';
const config = JSON.parse(readFileSync('/etc/core/config.json', 'utf8')) as Prepared;
const minor = Number(config.version.split('.')[1]);
const fresh: Database = { admin: config.first.admin, password: config.first.database, minor };
const database = existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Database) : fresh;
if (database.password !== config.first.database) throw new Error('pq: password authentication failed for user "postgres"');
if (database.minor > minor) throw new Error(`the database is of version 2.${String(database.minor)}: no migration found`);
writeFileSync(FILE, JSON.stringify({ ...database, minor }), { mode: 0o600 });

const running = await startHarbor({ ...config, adminPassword: database.admin });
process.stdout.write(`harbor front at ${running.url}\n`);
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void running.close().then(() => process.exit(0));
  });
}
