/** Reading objects of unknown shape: what the API server answers is typed by nobody here. */
type Path = readonly (string | number)[];

/** The value at a path, undefined when any step of it is missing. */
export function fieldAt(value: unknown, ...path: Path): unknown {
  let at = value;
  for (const step of path) {
    if (at === null || typeof at !== 'object' || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<string | number, unknown>)[step];
  }
  return at;
}

export function numberAt(value: unknown, ...path: Path): number | undefined {
  const at = fieldAt(value, ...path);
  return typeof at === 'number' ? at : undefined;
}

export function textAt(value: unknown, ...path: Path): string | undefined {
  const at = fieldAt(value, ...path);
  return typeof at === 'string' ? at : undefined;
}

/** The list at a path, empty when there is none. */
export function listAt(value: unknown, ...path: Path): readonly unknown[] {
  const at = fieldAt(value, ...path);
  return Array.isArray(at) ? at : [];
}

/** The condition of a type (meta/v1 Condition): `status` is `True`, `False` or `Unknown`. */
export function conditionOf(object: unknown, type: string): { status: string; reason: string; message: string } | undefined {
  const found = listAt(object, 'status', 'conditions').find((condition) => textAt(condition, 'type') === type);
  if (found === undefined) return undefined;
  return {
    status: textAt(found, 'status') ?? '',
    reason: textAt(found, 'reason') ?? '',
    message: textAt(found, 'message') ?? '',
  };
}
