import { DeliverError, isDeliverError, messageOf, systemCode } from '../core/errors.ts';
import { NOTHING_WRITTEN } from '../manifest/problem.ts';
import { READS_ONLY, WORDS } from './words.ts';

/**
 * What was thrown, as an error that a person can be told: ours as it is, an error of the operating
 * system by its code, anything else as a bug of deliver.
 */
export function knownError(error: unknown): DeliverError {
  if (isDeliverError(error)) return error;
  return (
    systemError(error) ??
    new DeliverError('E_BUG', { what: 'deliver broke.', why: messageOf(error), fix: WORDS.reportBug, cause: error })
  );
}

/** The same error as a verb tells it: one that never writes does not say that nothing was written. */
export function asToldBy(error: DeliverError, argv: readonly string[]): DeliverError {
  const { state, ...facts } = error.facts;
  if (state !== NOTHING_WRITTEN || !readsOnly(argv)) return error;
  const told = new DeliverError(error.code, facts);
  if (error.stack !== undefined) told.stack = error.stack;
  return told;
}

/** True for `plan …`, `receipt verify …`; `inspect` with a file to write is no such verb. */
function readsOnly(argv: readonly string[]): boolean {
  const [verb = '', second = ''] = argv;
  if (verb === 'inspect') return !argv.some((word) => /^--(?:html|sbom)(?:=|$)/.test(word));
  return READS_ONLY.has(verb) || READS_ONLY.has(`${verb} ${second}`);
}

/** The interruption that a person asked for, with what the step knew about the state it left. */
export function interruption(error: unknown): DeliverError {
  if (isDeliverError(error, 'E_INTERRUPTED')) return error;
  const state = isDeliverError(error) ? error.facts.state : undefined;
  return new DeliverError('E_INTERRUPTED', {
    what: WORDS.interrupted,
    fix: WORDS.goOn,
    ...(state === undefined ? {} : { state }),
    cause: error,
  });
}

function systemError(error: unknown): DeliverError | undefined {
  const why = messageOf(error);
  switch (systemCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new DeliverError('E_DISK_FULL', { what: 'The disk is full.', why, cause: error });
    case 'ENOENT':
    case 'ENOTDIR':
      return new DeliverError('E_FILE_NOT_FOUND', { what: 'A file is not there.', why, cause: error });
    case 'EACCES':
    case 'EPERM':
    case 'EISDIR':
    case 'EROFS':
    case 'EIO':
      return new DeliverError('E_FILE_UNREADABLE', { what: 'A file can’t be used.', why, cause: error });
    default:
      return undefined;
  }
}
