import type { KubeObject } from './port.ts';

/** One field that an apply would change. */
export interface FieldChange {
  /** `spec.template.spec.containers[gatekeeper].image` */
  readonly path: string;
  readonly kind: 'add' | 'remove' | 'change';
  readonly before?: unknown;
  readonly after?: unknown;
}

const HIDDEN = '***';
const SERVER_OWNED = new Set(['managedFields', 'generation', 'resourceVersion', 'uid', 'creationTimestamp', 'selfLink']);
/** What tells the items of a list apart, in the order in which they are tried. */
const KEYS = ['mountPath', 'name', 'containerPort', 'port', 'host', 'path', 'ip', 'key', 'secretName', 'uid'] as const;

/**
 * What would change in an object: the live one against what the API server says it would become. Empty when nothing does.
 * What the server itself writes is left out, and of a Secret only the names of what changes are given.
 */
export function diffObject(live: KubeObject | undefined, next: KubeObject): FieldChange[] {
  if (live === undefined) return [{ path: '', kind: 'add' }];
  const changes = [...diff('', strip(live), strip(next))];
  return next.kind === 'Secret' ? changes.map(hide) : changes;
}

function* diff(path: string, before: unknown, after: unknown): Generator<FieldChange> {
  if (before === undefined && after !== undefined) yield { path, kind: 'add', after };
  else if (before !== undefined && after === undefined) yield { path, kind: 'remove', before };
  else if (isRecord(before) && isRecord(after)) yield* diffRecords(path, before, after);
  else if (Array.isArray(before) && Array.isArray(after)) yield* diffLists(path, before, after);
  else if (before !== after) yield { path, kind: 'change', before, after };
}

function* diffRecords(
  path: string,
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): Generator<FieldChange> {
  for (const key of [...new Set([...Object.keys(before), ...Object.keys(after)])]) {
    yield* diff(joined(path, key), before[key], after[key]);
  }
}

function* diffLists(path: string, before: readonly unknown[], after: readonly unknown[]): Generator<FieldChange> {
  const key = KEYS.find((candidate) => tellsApart(before, candidate) && tellsApart(after, candidate));
  if (key === undefined) {
    for (let index = 0; index < Math.max(before.length, after.length); index++) {
      yield* diff(`${path}[${String(index)}]`, before[index], after[index]);
    }
    return;
  }
  const [old, now] = [byKey(before, key), byKey(after, key)];
  for (const name of new Set([...old.keys(), ...now.keys()])) yield* diff(`${path}[${name}]`, old.get(name), now.get(name));
  // Init containers run, and variables expand, in the order of their lists.
  const [was, is] = [[...old.keys()].filter((name) => now.has(name)), [...now.keys()].filter((name) => old.has(name))];
  if (was.some((name, index) => name !== is[index]))
    yield { path: `${path} (order)`, kind: 'change', before: was.join(', '), after: is.join(', ') };
}

function tellsApart(list: readonly unknown[], key: string): boolean {
  const values = list.map((item) => (isRecord(item) ? item[key] : undefined));
  return values.every((value) => typeof value === 'string' || typeof value === 'number') && new Set(values).size === list.length;
}

function byKey(list: readonly unknown[], key: string): Map<string, unknown> {
  return new Map(list.filter(isRecord).map((item) => [String(item[key]), item]));
}

/** Keys that hold a dot or slash are set apart: `metadata.labels[app.kubernetes.io/name]`. */
function joined(path: string, key: string): string {
  if (/[./]/.test(key)) return `${path}[${key}]`;
  return path === '' ? key : `${path}.${key}`;
}

function strip(object: KubeObject): Record<string, unknown> {
  const { status: _status, metadata, ...rest } = object;
  const kept = Object.entries(metadata).filter(([key]) => !SERVER_OWNED.has(key));
  return { ...rest, metadata: Object.fromEntries(kept) };
}

/** `kubectl apply` keeps a copy of the whole object, values included, in an annotation: hidden as well. */
function hide(change: FieldChange): FieldChange {
  if (!/^(data|stringData|metadata\.annotations)\b/.test(change.path)) return change;
  const hidden = (value: unknown): unknown =>
    isRecord(value) ? Object.fromEntries(Object.keys(value).map((key) => [key, HIDDEN])) : HIDDEN;
  return {
    path: change.path,
    kind: change.kind,
    ...('before' in change ? { before: hidden(change.before) } : {}),
    ...('after' in change ? { after: hidden(change.after) } : {}),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
