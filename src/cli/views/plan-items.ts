import { bytesText, countText } from '../../core/amounts.ts';
import type { HostItem, HostTodo, ItemKind } from '../../flows/plan/types.ts';
import { wrap } from '../text.ts';

/** Programs that are named; more are counted. */
const NAMED = 3;
/** A space that no line is broken at. */
const KEEP = '\u00A0';

/** What is to be done on some hosts, the same on each. */
export interface HostGroup {
  readonly hosts: readonly string[];
  readonly items: readonly HostItem[];
  readonly problem?: string;
}

/** Hosts on which something is to be done, those with the same work together; the order of the hosts stays. */
export function groupHosts(todos: readonly HostTodo[]): HostGroup[] {
  const groups = new Map<string, { hosts: string[]; items: HostItem[]; problem?: string }>();
  for (const { host, items, problem } of todos) {
    const open = items.filter(({ done }) => !done);
    if (open.length === 0 && problem === undefined) continue;
    const key = JSON.stringify([problem, open]);
    const group = groups.get(key) ?? { hosts: [], items: open, ...(problem === undefined ? {} : { problem }) };
    group.hosts.push(host);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** `cp1, w1: each 5 programs (182 MB), 2 units` */
export function groupLines({ hosts, items, problem }: HostGroup, width: number): string[] {
  const each = hosts.length > 1 ? 'each ' : '';
  return hanging(`${hosts.join(', ')}: ${problem ?? `${each}${itemsText(items)}`}`, width);
}

/** Every thing in a line of its own, whole, so that it can be copied. @param named with the hosts above it */
export function detailLines({ hosts, items }: HostGroup, named: boolean, width: number): string[] {
  const lines = items.map(({ kind, what, bytes }) =>
    kind === 'program' && bytes !== undefined ? `${what} (${bytesText(bytes)})` : what,
  );
  return [...(named && lines.length > 0 ? hanging(`${hosts.join(', ')}:`, width) : []), ...lines.map((line) => `  ${line}`)];
}

/** A paragraph whose later lines are indented. An amount stays on one line with what it counts. */
export function hanging(text: string, width: number): string[] {
  const kept = text.replace(/(?<=\d) (?=[\p{L}(])/gu, KEEP);
  return wrap(kept, width - 2).map((line, index) => (index === 0 ? line : `  ${line}`).replaceAll(KEEP, ' '));
}

/** `5 programs (182 MB), 2 units, kernel settings, swap off`: by what things are for. */
function itemsText(items: readonly HostItem[]): string {
  const of = (kind: ItemKind): HostItem[] => items.filter((item) => item.kind === kind);
  const names = of('setting').map(({ what }) => what);
  const parts = [
    programsText(of('program')),
    certificatesText(of('certificate')),
    counted(new Set(of('unit').map(({ what }) => unitOf(what))).size, 'unit'),
    counted(of('file').length, 'file'),
    of('kernel').length === 0 ? '' : 'kernel settings',
    counted(of('mirror').length, 'mirror file'),
    ...names,
  ];
  return parts.filter((text) => text !== '').join(', ');
}

function programsText(programs: readonly HostItem[]): string {
  if (programs.length === 0) return '';
  const bytes = programs.reduce((sum, item) => sum + (item.bytes ?? 0), 0);
  const what = programs.length <= NAMED ? listText(programs.map((item) => item.what)) : countText(programs.length, 'program');
  return bytes === 0 ? what : `${what} (${bytesText(bytes)})`;
}

/** `kubeadm, kubelet and kubectl v1.34.4`, `Harbor v2.14.0 and docker 28.5.1` */
function listText(programs: readonly string[]): string {
  const parts = programs.map((text) => ({ name: text.replace(/ \S+$/, ''), version: / \S+$/.exec(text)?.[0] ?? '' }));
  const [first, ...others] = new Set(parts.map(({ version }) => version));
  const names = others.length === 0 ? parts.map(({ name }) => name) : programs;
  const list = names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
  return others.length === 0 ? `${list}${first ?? ''}` : list;
}

/** What is made is said in words; its files only counted where there are no such words. */
function certificatesText(items: readonly HostItem[]): string {
  const said = items.filter(({ what }) => !what.startsWith('/'));
  return said.length > 0 ? said.map(({ what }) => what).join(', ') : counted(items.length, 'certificate file');
}

function counted(count: number, noun: string): string {
  return count === 0 ? '' : countText(count, noun);
}

/** A unit, its file and its drop-ins are one thing: `kubelet.service`. */
function unitOf(what: string): string {
  return /[^/\s]+\.(?:service|socket|timer|mount)/.exec(what)?.[0] ?? what;
}
