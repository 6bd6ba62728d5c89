import { DeliverError } from '../../core/errors.ts';
import { replay, type Replayed } from './journal.ts';
import { parseRecord, type HostRecord } from './record.ts';

/** What a run of the place script did. */
export interface Placed extends Pick<Replayed, 'record' | 'changed' | 'ran' | 'notes'> {
  /** Why it stopped; absent when all was done. */
  readonly failed?: DeliverError;
}

/** Reads the lines of the place script into the record that was true before it. */
export function readPlaced(
  host: string,
  before: HostRecord,
  run: { readonly code: number; readonly stdout: string; readonly stderr: string },
): Placed {
  const { record, changed, ran, notes, why, log } = replay(foundBy(run.stdout, host) ?? before, run.stdout);
  const whole = run.code === 0 && run.stdout.includes('\ndone=yes');
  return {
    record,
    changed,
    ran,
    notes,
    ...(whole ? {} : { failed: stopped(host, why ?? lastLine(run.stderr) ?? `the script ended with ${String(run.code)}`, log) }),
  };
}

/** What record and journal were when the script had its turn; undefined where it found none. */
function foundBy(stdout: string, host: string): HostRecord | undefined {
  const [record, journal] = ['record', 'journal'].map((name) => {
    const text = new RegExp(`^${name}=(.*)$`, 'm').exec(stdout)?.[1];
    return text === undefined ? undefined : Buffer.from(text, 'base64').toString('utf8');
  });
  if (record === undefined && journal === undefined) return undefined;
  return replay(parseRecord(record, host).record, journal ?? '').record;
}

function stopped(host: string, why: string, log: readonly string[]): DeliverError {
  return new DeliverError('E_HOST', {
    what: `Preparing ${host} stopped.`,
    why,
    ...(log.length === 0 ? {} : { details: log }),
    fix: 'Look at that on the host, then run the same command again: it goes on from there.',
    state: 'What was done on that host until then stays.',
  });
}

/** The last line that says something. */
export function lastLine(text: string): string | undefined {
  return text
    .trim()
    .split('\n')
    .findLast((line) => line !== '');
}
