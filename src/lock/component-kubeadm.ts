import { execFile } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { verified } from '../core/digest.ts';
import { DeliverError, isDeliverError, messageOf } from '../core/errors.ts';
import { canonicalReference, parseReference } from '../core/reference.ts';
import type { FileSource } from '../store/port.ts';
import type { LockedFile } from './lock-schema.ts';

const TIMEOUT = 60_000;
const MAX_OUTPUT = 1024 * 1024;
const run = promisify(execFile);

/**
 * What `kubeadm config images list` of this very kubeadm says. It is run from a file that is gone afterwards, only when the
 * bytes are those of the lock, with an empty environment and a version, so that it asks no network.
 * @throws DeliverError E_COMPONENT, E_DIGEST, E_SIZE, E_SOURCE*
 */
export async function listImagesWith(
  kubeadm: LockedFile,
  version: string,
  files: FileSource,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'deliver-kubeadm-'));
  try {
    const program = join(folder, 'kubeadm');
    await save(program, kubeadm, files, signal);
    const { stdout } = await run(program, ['config', 'images', 'list', '--kubernetes-version', version], {
      cwd: folder,
      env: {},
      timeout: TIMEOUT,
      maxBuffer: MAX_OUTPUT,
      ...(signal === undefined ? {} : { signal }),
    });
    const lines = stdout.split('\n').filter((line) => line.trim() !== '');
    if (lines.length === 0) throw new Error('it named no image');
    return lines.map((line) => canonicalReference(parseReference(line.trim())));
  } catch (error) {
    signal?.throwIfAborted();
    if (isDeliverError(error) && error.code !== 'E_REFERENCE') throw error;
    throw new DeliverError('E_COMPONENT', {
      what: `kubeadm ${version} could not be asked which images it needs.`,
      why: messageOf(error),
      fix: `Try it by hand: kubeadm config images list --kubernetes-version ${version}. If the folder for temporary files forbids programs, set TMPDIR to another.`,
      cause: error,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function save(path: string, file: LockedFile, files: FileSource, signal: AbortSignal | undefined): Promise<void> {
  const bytes = verified(await files.open(file.source, signal), file, `${file.title} (${file.source})`);
  const handle = await open(path, 'wx', 0o700);
  try {
    for await (const chunk of bytes) await handle.writeFile(chunk);
  } finally {
    await handle.close();
  }
}
