import { createHash } from 'node:crypto';
import { DeliverError } from '../../core/errors.ts';
import { installText } from '../packages.ts';
import { fileItem, unitItem, type HostItem } from './item.ts';
import { hostsFileWith } from './names.ts';
import type { RecordedFile } from './record.ts';
import type { HostState } from './state.ts';
import type { HostWish, WishedComponent, WishedFile, WishedUnit } from './wish.ts';

/** What no package brings to a host that was started without it. */
const SYSTEMD = 'systemd';

export interface PlannedFile {
  readonly path: string;
  readonly content: string;
  readonly mode: number;
  readonly done: boolean;
}

/** A component with the blob that is for that host. */
export type PlannedComponent = Omit<WishedComponent, 'blobs'>;

export interface HostPlan {
  readonly host: string;
  readonly state: HostState;
  readonly items: readonly HostItem[];
  /** Components to place, files to write, units to see to. */
  readonly components: readonly PlannedComponent[];
  readonly files: readonly PlannedFile[];
  readonly units: readonly WishedUnit[];
  readonly wish: HostWish;
  /** Why nothing may be done there. */
  readonly refused?: DeliverError;
  /** What a person should know. */
  readonly notes: readonly string[];
}

/** Compares what should be with what is. Pure. */
export function planHost(given: HostWish, state: HostState): HostPlan {
  const refusals: { why: string; fix: string }[] = [];
  const wish = { ...given, components: given.components.map((component) => forPlatform(component, state, refusals)) };
  const packages = packagesInUse(wish, state, refusals);
  const components = wish.components.filter(
    (component) => !packages.skipped.has(component.name) && !isPlaced(component, state) && !leftToOwner(component, state),
  );
  const files = wish.files
    .filter(({ unlessPackaged }) => unlessPackaged === undefined || !packages.skipped.has(unlessPackaged))
    .map((file) => plannedFile(file, state, refusals));
  const units = wish.units.filter(({ unlessPackaged }) => unlessPackaged === undefined || !packages.skipped.has(unlessPackaged));
  const settings = settingItems(wish, state);
  const items: HostItem[] = [
    ...wish.components
      .filter(({ name }) => !packages.skipped.has(name))
      .map((component) => ({
        kind: 'program' as const,
        what: componentText(component),
        bytes: component.blob.size,
        done: !components.includes(component),
      })),
    ...files.map(fileItem),
    ...settings,
    ...units.map((unit) => unitItem(unit, isAsWanted(unit, state))),
  ];
  const all = [...lacking(state), ...refusals];
  return {
    host: state.host,
    state,
    wish,
    items,
    components,
    files,
    units,
    notes: packages.notes,
    ...(all.length === 0 ? {} : { refused: refusal(state.host, all) }),
  };
}

function lacking({ host, lacks }: HostState): { why: string; fix: string }[] {
  const programs = lacks.filter((name) => name !== SYSTEMD);
  return [
    ...(programs.length === 0 ? [] : [{ why: `missing: ${programs.join(', ')}`, fix: installText(host, programs) }]),
    ...(lacks.includes(SYSTEMD) ? [{ why: 'systemd is not there', fix: 'deliver prepares hosts that systemd runs.' }] : []),
  ];
}

function forPlatform(
  { blobs, ...component }: WishedComponent,
  { platform, host }: HostState,
  refusals: { why: string; fix: string }[],
): PlannedComponent {
  const blob = blobs?.get(platform);
  if (blobs === undefined || blob !== undefined) return { ...component, blob: blob ?? component.blob };
  refusals.push({
    why: `it is ${platform}, and the release has ${component.name} for ${[...blobs.keys()].join(', ')}`,
    fix: `On the connected side add ${platform} to platforms: of the release, resolve and pack again, or take ${host} out of the site file.`,
  });
  return component;
}

/** How many things are still to be done. */
export function changesOf({ items }: HostPlan): number {
  return items.filter(({ done }) => !done).length;
}

/** `containerd v1.7.28` */
export function componentText({ name, version }: Pick<WishedComponent, 'name' | 'version'>): string {
  return `${name} ${version}`;
}

/** Files that the record says came with a component of that name. */
export function recordedOf(name: string, { record }: HostState): [string, RecordedFile][] {
  return Object.entries(record.files).filter(([, file]) => file.component?.startsWith(`${name} `) === true);
}

/** The record says that all of the blob lies there, and what lies there has size and time as recorded. */
function isPlaced({ name, blob }: PlannedComponent, state: HostState): boolean {
  const files = recordedOf(name, state).filter(([, { from }]) => from === blob.digest);
  return files.length > 0 && files.every(([path, file]) => isAsRecorded(path, file, state));
}

function leftToOwner({ name, unlessPlaced }: WishedComponent, state: HostState): boolean {
  const files = recordedOf(name, state);
  return unlessPlaced === true && files.length > 0 && files.every(([path, file]) => isAsRecorded(path, file, state));
}

function isAsRecorded(path: string, { size, mtime }: RecordedFile, { files }: HostState): boolean {
  const found = files.get(path);
  return found?.size === size && found.mtime === mtime;
}

function packagesInUse(
  { components }: HostWish,
  state: HostState,
  refusals: { why: string; fix: string }[],
): { skipped: ReadonlySet<string>; notes: string[] } {
  const skipped = new Set<string>();
  const notes: string[] = [];
  for (const component of components) {
    const { packaged, name } = component;
    const version = packaged === undefined ? undefined : state.packaged.get(packaged.program);
    // What deliver placed before stays its own, whatever was installed beside it since.
    if (packaged === undefined || version === undefined || recordedOf(name, state).length > 0) continue;
    const why = packaged.refuses(version, state);
    if (why !== undefined) {
      refusals.push(why);
      continue;
    }
    for (const skip of [name, ...(packaged.with ?? [])]) skipped.add(skip);
    notes.push(`${packaged.program} ${version} of the distribution’s package is used as it is`);
  }
  return { skipped, notes };
}

function plannedFile(file: WishedFile, state: HostState, refusals: { why: string; fix: string }[]): PlannedFile {
  const { path, mode = 0o644, guarded } = file;
  const content = typeof file.content === 'string' ? file.content : file.content(state);
  const found = state.files.get(path);
  const same = found?.sha256 === createHash('sha256').update(content).digest('hex');
  if (found !== undefined && !same && found.marked !== true && !(path in state.record.files)) {
    const why = guarded?.(state);
    if (why !== undefined) refusals.push(why);
  }
  return { path, content, mode, done: same && found.mode === mode.toString(8) };
}

function settingItems(wish: HostWish, state: HostState): HostItem[] {
  const loaded = wish.modules.filter((name) => !state.modules.has(name));
  const set = wish.sysctls.filter((one) => !one.optional && !isSet(one, state));
  return [
    ...(wish.modules.length === 0 ? [] : [{ kind: 'kernel' as const, what: 'kernel modules', done: loaded.length === 0 }]),
    ...(wish.sysctls.length === 0 ? [] : [{ kind: 'kernel' as const, what: 'kernel settings', done: set.length === 0 }]),
    ...(wish.swapOff ? [{ kind: 'setting' as const, what: 'swap off', done: state.swap === 0 && state.fstabSwap === 0 }] : []),
    ...(wish.hostsLines === undefined
      ? []
      : [
          {
            kind: 'setting' as const,
            what: '/etc/hosts',
            done: hostsFileWith(state.hostsFile, wish.hostsLines) === state.hostsFile,
          },
        ]),
  ];
}

function isSet({ key, value, atLeast }: HostWish['sysctls'][number], { sysctls }: HostState): boolean {
  const found = sysctls.get(key);
  if (found === undefined) return false;
  return atLeast === true ? Number(found) >= value : Number(found) === value;
}

function isAsWanted({ name, wanted }: WishedUnit, { units, record }: HostState): boolean {
  const found = units.get(name);
  // A run that was cut off may have written files that the process of this unit has not read.
  return found?.enabled === true && !found.stale && (wanted === 'enabled' || (found.active && !record.due.includes(name)));
}

function refusal(host: string, reasons: readonly { why: string; fix: string }[]): DeliverError {
  return new DeliverError('E_HOST', {
    what: `Host ${host} can’t be prepared as it is.`,
    why: reasons.map(({ why }) => why).join('; '),
    fix: [...new Set(reasons.map(({ fix }) => fix))].join('\n'),
    state: 'Nothing was changed on that host.',
  });
}
