import { readFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { writeWhole } from '../core/write-whole.ts';
import { DeliverError, isDeliverError, messageOf, systemCode } from '../core/errors.ts';
import { refuse } from '../manifest/problem.ts';
import { readText } from '../manifest/read-text.ts';
import { parseYaml } from '../manifest/yaml-document.ts';
import { checkedLock, lockProblems } from './check-lock.ts';
import { LockSchema, type Lock } from './lock-schema.ts';

const HEADER = `# yaml-language-server: $schema=../docs/schema/lock.schema.json
# Written by deliver resolve. Review it, don’t edit it.
`;

/** `manifests/suite.lock.yaml` for `manifests/suite.yaml`. */
export function lockPath(releasePath: string): string {
  return `${releasePath.replace(/\.ya?ml$/i, '')}.lock.yaml`;
}

/**
 * Reads a lock, strictly.
 * @throws DeliverError E_LOCK_MISSING, E_FILE_UNREADABLE, E_YAML, E_SCHEMA with every problem as `file:line:col  message`
 */
export async function readLock(path: string): Promise<Lock> {
  const text = await readText(path, 'The lock').catch((error: unknown) => {
    if (!isDeliverError(error, 'E_FILE_NOT_FOUND')) throw error;
    throw new DeliverError('E_LOCK_MISSING', {
      what: `There is no lock: ${path}`,
      fix: 'Make it with deliver resolve RELEASE.',
      cause: error,
    });
  });
  const { value, positionOf } = parseYaml(path, text);
  refuse(path, lockProblems(value), positionOf);
  return LockSchema.parse(value);
}

/** The one text that a lock has: keys in the order of the schema, no times. @throws DeliverError E_SCHEMA */
export function lockText(lock: Lock): string {
  return HEADER + stringify(checkedLock(lock), { version: '1.2', lineWidth: 0, aliasDuplicateObjects: false });
}

/**
 * Writes a lock in one move, unless the file says the same already.
 * @throws DeliverError E_SCHEMA, E_OUTPUT
 */
export async function writeLock(path: string, lock: Lock): Promise<'written' | 'unchanged'> {
  const text = lockText(lock);
  const before = await readFile(path, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw cannotWrite(path, error);
  });
  if (before === text) return 'unchanged';
  await writeWhole(path, text).catch((error: unknown) => {
    throw cannotWrite(path, error);
  });
  return 'written';
}

function cannotWrite(path: string, cause: unknown): DeliverError {
  return new DeliverError('E_OUTPUT', {
    what: `The lock can’t be written: ${path}`,
    why: messageOf(cause),
    state: 'The file is as it was.',
    cause,
  });
}
