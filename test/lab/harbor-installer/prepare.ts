/**
 * In the image goharbor/prepare of the lab's stand-in: `prepare` renders compose file and configuration from /input/harbor.yml,
 * `migrate -i FILE` brings a harbor.yml to this version. Paths of the host are below /hostfs.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parse, parseDocument, stringify } from 'yaml';

interface HarborYml {
  hostname: string;
  http?: { port: number };
  https: { port: number; certificate: string; private_key: string };
  harbor_admin_password: string;
  database: { password: string };
  data_volume: string;
  _version: string;
}

const VERSION = process.env.HARBOR_VERSION ?? '';
const minorOf = (version: string): number => Number(version.replace(/^v/, '').split('.')[1]);

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function prepare(): void {
  const yml = parse(readFileSync('/input/harbor.yml', 'utf8')) as HarborYml;
  if (minorOf(yml._version) !== minorOf(VERSION)) fail(`harbor.yml is of version ${yml._version}: migrate it first`);
  if (['localhost', '127.0.0.1', 'reg.mydomain.com'].includes(yml.hostname)) fail('hostname must be set');
  for (const folder of ['/data/secret/cert', '/data/registry', '/data/database', '/config/core'])
    mkdirSync(folder, { recursive: true });
  // Copied: a new certificate asks for a new run.
  copyFileSync(`/hostfs${yml.https.certificate}`, '/data/secret/cert/server.crt');
  copyFileSync(`/hostfs${yml.https.private_key}`, '/data/secret/cert/server.key');
  const port = yml.https.port === 443 ? '' : `:${String(yml.https.port)}`;
  const core = {
    listen: { host: '0.0.0.0', port: 8443 },
    tls: { cert: '/etc/cert/server.crt', key: '/etc/cert/server.key' },
    externalUrl: `https://${yml.hostname}${port}`,
    upstream: 'http://registry:5000',
    stateFile: '/database/state.json',
    accessLog: null,
    version: VERSION,
    first: { admin: yml.harbor_admin_password, database: yml.database.password },
  };
  writeFileSync('/config/core/config.json', JSON.stringify(core), { mode: 0o600 });
  const registry = {
    version: 0.1,
    storage: { filesystem: { rootdirectory: '/storage' }, delete: { enabled: true } },
    validation: { disabled: true },
    http: { addr: ':5000', secret: 'the-same-after-a-restart' },
  };
  writeFileSync('/config/registry.yml', stringify(registry));
  const volume = yml.data_volume;
  const compose = {
    services: {
      registry: {
        image: `goharbor/registry-photon:${VERSION}`,
        container_name: 'registry',
        restart: 'always',
        environment: { OTEL_TRACES_EXPORTER: 'none' },
        volumes: [`${volume}/registry:/storage`, './common/config/registry.yml:/etc/registry/config.yml'],
        networks: ['harbor'],
      },
      core: {
        image: `goharbor/harbor-core:${VERSION}`,
        container_name: 'harbor-core',
        restart: 'always',
        depends_on: ['registry'],
        ports: [`${String(yml.https.port)}:8443`],
        volumes: [`${volume}/database:/database`, `${volume}/secret/cert:/etc/cert`, './common/config/core:/etc/core'],
        networks: ['harbor'],
      },
    },
    networks: { harbor: { external: false } },
  };
  writeFileSync('/compose_location/docker-compose.yml', stringify(compose));
  process.stdout.write('Generated configuration file: /compose_location/docker-compose.yml\nClean up the input dir\n');
}

function migrate(path: string): void {
  const file = `/hostfs${path}`;
  const document = parseDocument(readFileSync(file, 'utf8'));
  const from = String(document.get('_version'));
  if (minorOf(VERSION) - minorOf(from) > 3) fail(`migrating from ${from} to ${VERSION} is not supported`);
  document.set('_version', `2.${String(minorOf(VERSION))}.0`);
  writeFileSync(file, document.toString({ lineWidth: 0 }));
  process.stdout.write(`migrating to version ${VERSION}\n`);
}

const [verb, ...args] = process.argv.slice(2);
if (verb === 'prepare') prepare();
else if (verb === 'migrate' && args[0] === '-i') migrate(args[1] ?? '');
else fail('usage: prepare | migrate -i FILE');
