import { isDigest } from '../../core/digest.ts';
import type { HostRecord, RecordedFile } from './record.ts';

/** What lines of the place script say: on its output, and in the journal that it leaves on the host. */
export interface Replayed {
  /** The record that was true before, with all of it. */
  readonly record: HostRecord;
  /** Paths, units and settings that are other than before. */
  readonly changed: readonly string[];
  /** `restart containerd.service` */
  readonly ran: readonly string[];
  readonly notes: readonly string[];
  /** Why it stopped. */
  readonly why?: string;
  /** What a unit that did not start had said. */
  readonly log: readonly string[];
}

/** Reads whole lines only: a host that lost power may have written half of the last one. The same lines twice change nothing. */
export function replay(before: HostRecord, text: string): Replayed {
  const files: Record<string, RecordedFile> = { ...before.files };
  const settings = new Map(before.settings.map((setting) => [setting.name, setting]));
  const units = new Map(before.units.map((unit) => [unit.name, unit]));
  const due = new Set(before.due);
  const lists = { changed: [] as string[], ran: [] as string[], note: [] as string[], log: [] as string[] };
  const kept = new Set<string>();
  let component = '';
  let why: string | undefined;
  for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
    const at = line.indexOf('=');
    const key = line.slice(0, Math.max(at, 0));
    const value = line.slice(at + 1);
    if (key === 'component') component = value;
    else if (key === 'kept') kept.add(value);
    else if (key === 'fail') why = value;
    else if (key === 'due') due.add(value);
    else if (key === 'settled') due.delete(value);
    else if (key === 'gone') {
      Reflect.deleteProperty(files, value);
      lists.changed.push(value);
    } else if (key === 'setting') {
      const [name = '', old = '', set = ''] = value.split('|');
      // What it was before deliver came, not before the last run.
      if (!settings.has(name))
        settings.set(name, { name, ...(old === '' ? {} : { before: old }), ...(set === '' ? {} : { set }) });
    } else if (key === 'unit') {
      const [name = '', enabled, active] = value.split('|');
      if (!units.has(name)) units.set(name, { name, enabled: enabled === 'yes', active: active === 'yes' });
    } else if (key === 'file') {
      const file = fileOf(value, component, kept, before);
      if (file !== undefined) files[file.path] = file.recorded;
    } else if (key === 'changed' || key === 'ran' || key === 'note' || key === 'log') lists[key].push(value);
  }
  return {
    record: { version: 1, files, settings: [...settings.values()], units: [...units.values()], due: [...due].toSorted() },
    changed: [...new Set(lists.changed)],
    ran: lists.ran,
    notes: lists.note,
    log: lists.log,
    ...(why === undefined ? {} : { why }),
  };
}

function fileOf(
  value: string,
  component: string,
  kept: ReadonlySet<string>,
  before: HostRecord,
): { readonly path: string; readonly recorded: RecordedFile } | undefined {
  const [hex = '', size = '', mtime = '', from = '', ...words] = value.split(' ');
  const digest = `sha256:${hex}`;
  const path = words.join(' ');
  if (!isDigest(digest) || !path.startsWith('/')) return undefined;
  const copy = kept.has(path) ? `${path}.before-deliver` : before.files[path]?.kept;
  return {
    path,
    recorded: {
      digest,
      size: Number(size),
      mtime: Number(mtime),
      ...(component === '' ? {} : { component }),
      ...(isDigest(from) ? { from } : {}),
      ...(copy === undefined ? {} : { kept: copy }),
    },
  };
}
