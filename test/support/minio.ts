import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';

const VERSIONS = readFileSync(new URL('../lab/versions.sh', import.meta.url), 'utf8');
const VERSION = /^MINIO_VERSION=(\S+)/m.exec(VERSIONS)?.[1] ?? '';
const CACHE = process.env['DELIVER_LAB_CACHE'] ?? join(homedir(), '.cache', 'deliver-lab');
const PROGRAM = join(CACHE, 'bin', `minio-${VERSION}`, 'minio');

/** Why the tests that need MinIO can't run here, undefined when they can. */
export const noMinio = existsSync(PROGRAM) ? undefined : `MinIO is not in the cache: bash test/lab/minio.sh builds it`;

export const BUCKET = 'releases';
const ACCOUNT = { accessKeyId: 'deliver-test', secretAccessKey: 'only-for-loopback' };

/** A real MinIO on loopback with one empty bucket. */
export interface Minio {
  readonly url: string;
  readonly client: S3Client;
  /** What a program needs in its environment to reach it. */
  readonly env: Readonly<Record<string, string>>;
  /** kill -9, and up again on the same data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export function environmentFor(url: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_S3: url,
    AWS_ACCESS_KEY_ID: ACCOUNT.accessKeyId,
    AWS_SECRET_ACCESS_KEY: ACCOUNT.secretAccessKey,
    AWS_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

/** Starts it in a folder of its own; with TLS when it is given a folder with public.crt and private.key. */
export async function startMinio(certificates?: string): Promise<Minio> {
  const folder = await mkdtemp(join(tmpdir(), 'deliver-minio-'));
  const ca = certificates === undefined ? undefined : readFileSync(join(certificates, 'public.crt'), 'utf8');
  const port = String(await freePort());
  const scheme = certificates === undefined ? 'http' : 'https';
  const url = `${scheme}://127.0.0.1:${port}`;
  const args = ['server', join(folder, 'data'), '--address', `127.0.0.1:${port}`, '--console-address', '127.0.0.1:0', '--quiet'];
  const launch = () =>
    spawn(PROGRAM, [...args, '--certs-dir', certificates ?? join(folder, 'certs')], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        HOME: folder,
        PATH: process.env['PATH'] ?? '',
        MINIO_ROOT_USER: ACCOUNT.accessKeyId,
        MINIO_ROOT_PASSWORD: ACCOUNT.secretAccessKey,
        MINIO_UPDATE: 'off',
        MINIO_CALLHOME_ENABLE: 'off',
      },
    });
  let server = launch();
  let said = '';
  server.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const client = new S3Client({
    endpoint: url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: ACCOUNT,
    ...(ca === undefined ? {} : { requestHandler: { httpsAgent: new Agent({ ca }) } }),
  });
  const kill = async (): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
  };
  const stop = async (): Promise<void> => {
    client.destroy();
    await kill();
    await rm(folder, { recursive: true, force: true });
  };
  const ready = async (): Promise<void> => {
    for (let attempt = 0; ; attempt++) {
      try {
        await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
        return;
      } catch (error) {
        if (error instanceof Error && error.name === 'BucketAlreadyOwnedByYou') return;
        if (attempt >= 100 || server.exitCode !== null) throw new Error(`MinIO did not start: ${said}`, { cause: error });
        await sleep(100);
      }
    }
  };
  const restart = async (): Promise<void> => {
    await kill();
    server = launch();
    await ready();
  };
  try {
    await ready();
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, client, env: environmentFor(url), restart, stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
