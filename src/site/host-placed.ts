import { isDigest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import type { HostRecord, RecordedFile } from './host-record.ts';

/** What a run of the place script did. */
export interface Placed {
  readonly record: HostRecord;
  /** Paths, units and settings that are other than before. */
  readonly changed: readonly string[];
  /** `restart containerd.service` */
  readonly ran: readonly string[];
  readonly notes: readonly string[];
  /** Why it stopped; absent when all was done. */
  readonly failed?: DeliverError;
}

/** Reads the lines of the place script into the record that was true before it. */
export function readPlaced(
  host: string,
  before: HostRecord,
  run: { readonly code: number; readonly stdout: string; readonly stderr: string },
): Placed {
  const files: Record<string, RecordedFile> = { ...before.files };
  const settings = new Map(before.settings.map((setting) => [setting.name, setting]));
  const changed: string[] = [];
  const ran: string[] = [];
  const notes: string[] = [];
  const kept = new Set<string>();
  const log: string[] = [];
  let component = '';
  let why: string | undefined;
  for (const line of run.stdout.split('\n')) {
    const at = line.indexOf('=');
    const key = line.slice(0, Math.max(at, 0));
    const value = line.slice(at + 1);
    if (key === 'component') component = value;
    else if (key === 'changed') changed.push(value);
    else if (key === 'kept') kept.add(value);
    else if (key === 'note') notes.push(value);
    else if (key === 'ran') ran.push(value);
    else if (key === 'fail') why = value;
    else if (key === 'log') log.push(value);
    else if (key === 'gone') {
      Reflect.deleteProperty(files, value);
      changed.push(value);
    } else if (key === 'setting') {
      const [name = '', old = ''] = value.split('|');
      changed.push(name);
      // What it was before deliver came, not before the last run.
      if (!settings.has(name)) settings.set(name, { name, ...(old === '' ? {} : { before: old }) });
    } else if (key === 'file') {
      const [hex = '', size = '', mtime = '', from = '', ...words] = value.split(' ');
      const digest = `sha256:${hex}`;
      if (!isDigest(digest)) continue;
      const path = words.join(' ');
      const copy = kept.has(path) ? `${path}.before-deliver` : before.files[path]?.kept;
      files[path] = {
        digest,
        size: Number(size),
        mtime: Number(mtime),
        ...(component === '' ? {} : { component }),
        ...(isDigest(from) ? { from } : {}),
        ...(copy === undefined ? {} : { kept: copy }),
      };
    }
  }
  const whole = run.code === 0 && run.stdout.includes('\ndone=yes');
  return {
    record: { version: 1, files, settings: [...settings.values()] },
    changed: [...new Set(changed)],
    ran,
    notes,
    ...(whole ? {} : { failed: stopped(host, why ?? lastLine(run.stderr) ?? `the script ended with ${String(run.code)}`, log) }),
  };
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
