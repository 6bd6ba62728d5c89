import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../bench/registry.ts';

/** Debian's docker-registry on loopback with its access log in a file. */
export interface LoggedRegistry {
  /** host:port. */
  readonly host: string;
  /** Digests of the blobs that it was asked for (GET), in order. */
  fetched(): readonly string[];
  stop(): Promise<void>;
}

export async function startLoggedRegistry(folder: string): Promise<LoggedRegistry> {
  const storage = join(folder, 'storage');
  await mkdir(storage, { recursive: true });
  const host = `127.0.0.1:${String(await freePort())}`;
  const config = join(folder, 'registry.yml');
  const log = join(folder, 'access.log');
  await writeFile(
    config,
    `version: 0.1\nlog: {level: error}\nstorage:\n  filesystem: {rootdirectory: ${storage}}\nhttp: {addr: "${host}"}\n`,
  );
  const out = openSync(log, 'a');
  const child = spawn('docker-registry', ['serve', config], { stdio: ['ignore', out, out] });
  closeSync(out);
  const gone = once(child, 'close');
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
  };
  for (let turn = 0; turn < 200 && child.exitCode === null; turn++) {
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined);
    if (answer?.ok === true) {
      const asked = /"GET \/v2\/[^ ]+\/blobs\/(sha256:[0-9a-f]{64})/g;
      return { host, fetched: () => [...readFileSync(log, 'utf8').matchAll(asked)].map(([, digest = '']) => digest), stop };
    }
    await sleep(100);
  }
  await stop();
  throw new Error(`docker-registry did not start: ${readFileSync(log, 'utf8')}`);
}
