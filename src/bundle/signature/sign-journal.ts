import { open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { canonicalJson } from '../../core/canonical-json.ts';
import { digestOf } from '../../core/digest.ts';
import { DeliverError, isDeliverError, systemCode } from '../../core/errors.ts';
import { syncFolder } from '../sync-folder.ts';

/** Bytes for a place in a bundle. */
export interface Patch {
  readonly offset: number;
  readonly bytes: Buffer;
}

/** What a bundle was before it was signed in place. */
export interface SignJournal {
  /** Bytes of the whole bundle. */
  readonly size: number;
  readonly patches: readonly Patch[];
}

const Body = z.strictObject({
  journal: z.literal('deliver-sign/v1'),
  size: z.int().min(0),
  before: z.array(z.strictObject({ offset: z.int().min(0), bytes: z.base64() })),
});
const File = z.strictObject({ body: Body, digest: z.string() });

export function journalPath(bundlePath: string): string {
  return `${bundlePath}.sign.journal`;
}

/** Brings the journal to the disk before the bundle is touched; it gets its name only when it is whole. */
export async function writeJournal(bundlePath: string, size: number, before: readonly Patch[]): Promise<void> {
  const patches = before.map(({ offset, bytes }) => ({ offset, bytes: bytes.toString('base64') }));
  const body = { journal: 'deliver-sign/v1', size, before: patches };
  const path = journalPath(bundlePath);
  const handle = await open(`${path}.part`, 'w', 0o644);
  try {
    await handle.writeFile(canonicalJson({ body, digest: digestOf(canonicalJson(body)) }));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${path}.part`, path);
  await syncFolder(dirname(path));
}

/** The journal of a signing that was not finished; undefined when there is none, or what is there can't have been used. */
export async function readJournal(bundlePath: string): Promise<SignJournal | undefined> {
  const text = await readFile(journalPath(bundlePath), 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const { success, data } = File.safeParse(jsonOf(text));
  // Torn before it got its name, or not ours: the bundle was not touched then.
  if (!success || digestOf(canonicalJson(data.body)) !== data.digest) return undefined;
  return {
    size: data.body.size,
    patches: data.body.before.map(({ offset, bytes }) => ({ offset, bytes: Buffer.from(bytes, 'base64') })),
  };
}

export async function endJournal(bundlePath: string): Promise<void> {
  await rm(journalPath(bundlePath), { force: true });
  await syncFolder(dirname(bundlePath));
}

/** The same error, with what to do about it where a signing was killed half way. */
export async function withJournalHint(bundlePath: string, error: unknown): Promise<unknown> {
  if (!isDeliverError(error, 'E_BUNDLE')) return error;
  return (await halfSigned(bundlePath)) ?? error;
}

/** @throws DeliverError E_BUNDLE when a signing of it was killed half way */
export async function refuseHalfSigned(bundlePath: string): Promise<void> {
  const error = await halfSigned(bundlePath);
  if (error !== undefined) throw error;
}

async function halfSigned(bundlePath: string): Promise<DeliverError | undefined> {
  const journal = await readJournal(bundlePath).catch(() => undefined);
  if (journal === undefined) return undefined;
  return new DeliverError('E_BUNDLE', {
    what: `${bundlePath} is half signed.`,
    why: `A deliver sign was interrupted while it wrote; ${basename(journalPath(bundlePath))} beside it holds the bytes from before.`,
    fix: [
      'Run that deliver sign command again: it takes the half signing back, then signs. To take it back only:',
      `    deliver sign ${bundlePath}`,
    ].join('\n'),
    state: 'Its content was not touched. Nothing was read from it beyond its structure.',
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
