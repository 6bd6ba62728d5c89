import type { FieldChange, ObjectPlan } from '../../flows/plan/types.ts';
import { countText } from '../../core/amounts.ts';
import type { Style } from '../style.ts';
import { truncateMiddle, widthOf } from '../text.ts';
import { rowBlocks, type Row } from './lines.ts';
import { hanging } from './plan-items.ts';

/** A person reads this many fields of one object; `--json` has them all. */
const MOST_FIELDS = 12;
/** Columns of a path below which its values go to a line of their own. */
const SHORTEST_PATH = 30;
/** A shared beginning at least this long is left out of both values. */
const LONG_PREFIX = 12;
/** New objects that are told one by one; more are counted by kind. */
const MOST_NEW = 20;

/** What would happen to each object: new ones in a line, changed ones field by field, the same ones as a number. */
export function objectLines(objects: readonly ObjectPlan[], style: Style, width: number, verbose = false): string[] {
  const made = objects.filter(({ action }) => action === 'create');
  const isCounted = made.length > MOST_NEW && !verbose;
  const touched = objects.filter(({ action }) => action === 'change' || (action === 'create' && !isCounted));
  const same = objects.filter(({ action }) => action === 'same').length;
  const names = rowBlocks(touched.map(objectRow(style)), width);
  const lines = touched.flatMap((object, index) => [...(names[index] ?? []), ...fieldLines(object, style, width)]);
  const rest =
    same === 0 ? [] : [`${countText(same, 'object')} stay${same === 1 ? 's' : ''} as ${same === 1 ? 'it is' : 'they are'}`];
  const counted = isCounted ? newByKind(made, style, width) : [];
  const all = [...counted, ...lines, ...rest];
  return all.length === 0 ? ['no objects'] : all;
}

function objectRow(style: Style): (object: ObjectPlan) => Row {
  return ({ ref, action, takenFrom }) => {
    const changed = takenFrom === undefined ? '~ changed' : `~ taken over from ${takenFrom.join(', ')}`;
    return { lead: '', cells: [nameOf(ref), ref.kind, action === 'create' ? style.good('+ new') : style.warn(changed)] };
  };
}

/** `+ 84 new: 12 ConfigMaps, 9 ClusterRoles …` */
function newByKind(made: readonly ObjectPlan[], style: Style, width: number): string[] {
  const kinds = [...Map.groupBy(made, ({ ref }) => ref.kind)].map(([kind, some]) => `${String(some.length)} ${kind}`);
  const [first = '', ...more] = hanging(`${String(made.length)} new: ${kinds.join(', ')}`, width - 2);
  return [`${style.good('+')} ${first}`, ...more.map((line) => `  ${line}`)];
}

function nameOf({ namespace, name }: ObjectPlan['ref']): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function fieldLines({ action, changes }: ObjectPlan, style: Style, width: number): string[] {
  if (action !== 'change') return [];
  const shown = changes.slice(0, MOST_FIELDS).flatMap((change) => fieldText(change, style, width - 2).map((line) => `  ${line}`));
  const more = changes.length - MOST_FIELDS;
  return more > 0 ? [...shown, `  … and ${more} more fields; --json lists all`] : shown;
}

/** `~ spec.replicas 2 → 3`; a long path loses its front, which is the same for most fields. */
function fieldText({ path, kind, before, after }: FieldChange, style: Style, width: number): string[] {
  const values = kind === 'change' ? changeText(before, after) : short(kind === 'add' ? after : before);
  const mark = { add: style.good('+'), remove: style.bad('-'), change: style.warn('~') }[kind];
  const room = width - 3 - widthOf(values);
  if (room >= Math.min(path.length, SHORTEST_PATH)) return [`${mark} ${tail(path, room)} ${values}`];
  return [`${mark} ${tail(path, width - 2)}`, `    ${truncateMiddle(values, width - 4)}`];
}

/** `v361 → v362` of two long texts that begin alike: only what differs, from the last separator before it. */
function changeText(before: unknown, after: unknown): string {
  if (typeof before !== 'string' || typeof after !== 'string') return `${short(before)} → ${short(after)}`;
  let same = 0;
  while (same < before.length && before[same] === after[same]) same += 1;
  const start = before.slice(0, same).search(/[/:@=, ][^/:@=, ]*$/) + 1;
  return start < LONG_PREFIX
    ? `${short(before)} → ${short(after)}`
    : `${short(before.slice(start))} → ${short(after.slice(start))}`;
}

function tail(path: string, room: number): string {
  return path.length <= room ? path : `…${path.slice(path.length - room + 1)}`;
}

function short(value: unknown): string {
  if (value === undefined) return '';
  return truncateMiddle(typeof value === 'string' ? value : JSON.stringify(value), 40);
}
