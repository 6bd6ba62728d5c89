import { randomBytes } from 'node:crypto';
import { closeSync, openSync, read as readFile, unlinkSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Agent, request, type Dispatcher } from 'undici';
import type { ByteSource } from '../../bundle/byte-source.ts';
import { DeliverError, excerpt, messageOf, systemCode } from '../../core/errors.ts';
import type { LocalContent } from './content.ts';
import { tarContent } from './tar-content.ts';

const DEFAULT_SOCKET = '/var/run/docker.sock';
/** Milliseconds: some daemons write the whole archive to their own disk before they send its first byte. */
const ANSWER_WITHIN = 900_000;
const BODY_STALL = 120_000;

export interface DaemonEnvironment {
  readonly DOCKER_HOST?: string | undefined;
  readonly TMPDIR?: string | undefined;
}

/**
 * What `docker save NAME` would write, taken from a daemon's socket. A daemon sends it in one go and has no ranges, so it is kept in
 * a file without a name, which is gone when this process is: the one source that needs disk (docs/decisions/0017).
 * @throws DeliverError E_SOURCE, E_SOURCE_NOT_FOUND, E_DISK_FULL
 */
export async function daemonContent(name: string, where: string, env: DaemonEnvironment): Promise<LocalContent> {
  const socket = socketOf(env, where);
  const spool = await nameless(env.TMPDIR ?? '/var/tmp', where);
  try {
    const size = await exported(socket, name, where, spool.handle);
    await spool.handle.close();
    const hold = (): Promise<{ source: ByteSource; release: () => Promise<void> }> =>
      Promise.resolve({ source: descriptorSource(spool.descriptor, size), release: () => Promise.resolve() });
    return await tarContent(hold, where, () => {
      closeSync(spool.descriptor);
      return Promise.resolve();
    });
  } catch (error) {
    await spool.handle.close().catch(() => undefined);
    closeSync(spool.descriptor);
    throw error;
  }
}

function socketOf({ DOCKER_HOST: host }: DaemonEnvironment, where: string): string {
  if (host === undefined || host === '') return DEFAULT_SOCKET;
  if (host.startsWith('unix://')) return host.slice('unix://'.length);
  throw new DeliverError('E_SOURCE', {
    what: `${where} can’t be read.`,
    why: `DOCKER_HOST is ${host}; deliver asks a daemon through its unix socket only.`,
    fix: 'Save the image there with docker save -o FILE.tar, bring the file here and write docker-archive:FILE.tar.',
  });
}

/** Opened twice, to write and to read, and without a name from then on: whatever ends this process ends the file too. */
async function nameless(folder: string, where: string): Promise<{ handle: FileHandle; descriptor: number }> {
  for (const place of [folder, tmpdir()]) {
    const path = join(place, `deliver-${randomBytes(12).toString('hex')}.tar`);
    const handle = await open(path, 'wx', 0o600).catch(() => undefined);
    if (handle === undefined) continue;
    const descriptor = openSync(path, 'r');
    unlinkSync(path);
    return { handle, descriptor };
  }
  throw new DeliverError('E_OUTPUT', {
    what: `${where} needs room for its export, and ${folder} can’t be written.`,
    fix: 'Set TMPDIR to a folder with room for the image.',
  });
}

async function exported(socket: string, name: string, where: string, handle: FileHandle): Promise<number> {
  const agent = new Agent({ connect: { socketPath: socket } });
  try {
    const answer = await ask(agent, socket, name, where);
    let size = 0;
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      for (let done = 0; done < chunk.byteLength;) done += (await handle.write(chunk, done)).bytesWritten;
      size += chunk.byteLength;
    }
    return size;
  } catch (error) {
    throw error instanceof DeliverError ? error : broken(where, error);
  } finally {
    await agent.destroy();
  }
}

async function ask(agent: Agent, socket: string, name: string, where: string): Promise<Dispatcher.ResponseData> {
  const answer = await request(`http://docker/images/${encodeURI(name)}/get`, {
    dispatcher: agent,
    headersTimeout: ANSWER_WITHIN,
    bodyTimeout: BODY_STALL,
  }).catch((error: unknown) => {
    throw noDaemon(socket, where, error);
  });
  if (answer.statusCode === 200) return answer;
  const said = excerpt((await answer.body.text()).trim(), 300);
  const isMissing = answer.statusCode === 404 || /no such image|does not exist/i.test(said);
  throw new DeliverError(isMissing ? 'E_SOURCE_NOT_FOUND' : 'E_SOURCE', {
    what: isMissing ? `The docker daemon has no image ${name}.` : `The docker daemon does not give ${name}.`,
    why: `It answered ${String(answer.statusCode)}: ${said}`,
    fix: isMissing ? 'Look at docker images; build or tag it first.' : 'Look into the log of the daemon.',
  });
}

function noDaemon(socket: string, where: string, cause: unknown): DeliverError {
  const code = systemCode(cause);
  const why =
    code === 'ENOENT' || code === 'ECONNREFUSED'
      ? `No docker daemon answers at ${socket}.`
      : code === 'EACCES'
        ? `This account may not use ${socket}.`
        : messageOf(cause);
  return new DeliverError('E_SOURCE', {
    what: `${where} can’t be read.`,
    why,
    fix: 'Start docker or set DOCKER_HOST=unix://SOCKET; or docker save -o FILE.tar and write docker-archive:FILE.tar.',
    cause,
  });
}

function broken(where: string, cause: unknown): DeliverError {
  if (systemCode(cause) === 'ENOSPC') {
    return new DeliverError('E_DISK_FULL', {
      what: `There is no room for the export of ${where}.`,
      fix: 'Set TMPDIR to a folder with room for the image; or docker save -o FILE.tar and write docker-archive:FILE.tar.',
      cause,
    });
  }
  return new DeliverError('E_SOURCE', { what: `The export of ${where} broke off.`, why: messageOf(cause), cause });
}

const readAsync = promisify(readFile);

function descriptorSource(descriptor: number, size: number): ByteSource {
  return {
    size,
    async read(target, offset) {
      let filled = 0;
      while (filled < target.byteLength) {
        const { bytesRead } = await readAsync(descriptor, target, filled, target.byteLength - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return filled;
    },
  };
}
