import type { JsonPath } from './problem.ts';

/** Where the value of a variable comes from, and when: versions at resolve, site at install, secrets and outputs at apply. */
export const SCOPES = ['versions', 'site', 'secret', 'outputs'] as const;
export type ScopeName = (typeof SCOPES)[number];

/** One `${…}` in a text. */
export interface Variable {
  /** As written, braces included. */
  readonly text: string;
  /** What stands before the first dot. */
  readonly scope: string;
  /** What stands behind it: `ingress.addresses[0]`. */
  readonly name: string;
}

/** A variable and where it stands. */
export interface FoundVariable extends Variable {
  readonly path: JsonPath;
}

/** Groups: 1 an escape `$${`, 2 the inside of `${…}`. An opening without an end matches with neither. */
const PATTERN = /(\$\$\{)|\$\{([^{}]*)\}|\$\{/g;

/** Replaces variables and escapes in one text. `$${` stands for a literal `${`. */
export function replaceVariables(text: string, replace: (variable: Variable) => string, escape: string): string {
  return text.replace(PATTERN, (whole: string, escaped: string | undefined, inside: string | undefined) =>
    escaped === undefined ? replace(variableOf(whole, inside ?? '')) : escape,
  );
}

/** The variable that a text wholly consists of. */
export function wholeVariable(text: string): Variable | undefined {
  const match = /^\$\{([^{}]*)\}$/.exec(text);
  return match === null ? undefined : variableOf(text, match[1] ?? '');
}

/** Every variable in a value, with its path; keys of maps are not looked at. */
export function variablesIn(value: unknown, path: JsonPath = []): FoundVariable[] {
  if (typeof value === 'string') {
    const found: FoundVariable[] = [];
    replaceVariables(value, (variable) => (found.push({ ...variable, path }), ''), '');
    return found;
  }
  if (Array.isArray(value)) return value.flatMap((item: unknown, index) => variablesIn(item, [...path, index]));
  if (value !== null && typeof value === 'object')
    return Object.entries(value).flatMap(([key, item]) => variablesIn(item, [...path, key]));
  return [];
}

/** `addresses[0].ip` and `addresses.0.ip` as steps. */
export function nameSteps(name: string): (string | number)[] {
  return name
    .replace(/\[(\d+)\]/g, '.$1')
    .split('.')
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}

function variableOf(text: string, inside: string): Variable {
  const dot = inside.indexOf('.');
  return dot < 0 ? { text, scope: inside, name: '' } : { text, scope: inside.slice(0, dot), name: inside.slice(dot + 1) };
}
