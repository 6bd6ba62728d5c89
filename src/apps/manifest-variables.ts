import { DeliverError } from '../core/errors.ts';
import type { ManifestObject } from '../lock/manifest-objects.ts';
import { missingInSite } from '../manifest/fill.ts';
import type { JsonPath } from '../manifest/problem.ts';
import { valueAt } from '../manifest/raw.ts';
import { nameSteps, replaceVariables, wholeVariable, type Variable } from '../manifest/variables.ts';

/** What manifests may name: what the site file says, and the names that deliver knows for its name servers. */
export interface ManifestValues {
  readonly site: Readonly<Record<string, unknown>>;
  readonly dns: { readonly names: string };
}

/**
 * The object with `${site.…}` and `${dns.names}` filled in. Any other `${…}` is a shell’s or a program’s own and stays, and so
 * does what has `$$` before it.
 * @throws DeliverError E_VARIABLE naming each variable without a value as `file:line:col`
 */
export function fillManifest({ value, positionOf }: ManifestObject, values: ManifestValues): Readonly<Record<string, unknown>> {
  const problems: string[] = [];
  const valueOf = (variable: Variable, path: JsonPath, whole: boolean): unknown => {
    const found = valueAt(values[variable.scope as keyof ManifestValues], nameSteps(variable.name));
    const wrong =
      found === undefined
        ? missingInSite(variable, nameOf(values.site))
        : !whole && typeof found === 'object'
          ? 'is a list or map, and stands inside a text'
          : undefined;
    if (wrong === undefined) return found;
    problems.push(`${positionOf(path)}  ${variable.text} ${wrong}`);
    return '';
  };
  const fill = (at: unknown, path: JsonPath): unknown => {
    if (typeof at === 'string') {
      const whole = wholeVariable(at);
      if (whole !== undefined && isOurs(whole)) return valueOf(whole, path, true);
      return replaceVariables(
        at,
        (variable) => (isOurs(variable) ? String(valueOf(variable, path, false)) : variable.text),
        '$${',
      );
    }
    if (Array.isArray(at)) return at.map((item: unknown, index) => fill(item, [...path, index]));
    if (at === null || typeof at !== 'object') return at;
    return Object.fromEntries(Object.entries(at).map(([key, item]) => [key, fill(item, [...path, key])]));
  };
  const filled = fill(value, []) as Readonly<Record<string, unknown>>;
  if (problems.length === 0) return filled;
  throw new DeliverError('E_VARIABLE', {
    what: problems.length === 1 ? 'A variable of a manifest can’t be filled in.' : 'Variables of manifests can’t be filled in.',
    details: problems,
    fix: 'Add what is named to the site file.',
    state: 'Nothing was changed.',
  });
}

function isOurs({ scope, name }: Variable): boolean {
  return scope === 'site' || (scope === 'dns' && name === 'names');
}

function nameOf(site: Readonly<Record<string, unknown>>): string {
  const name = valueAt(site, ['metadata', 'name']);
  return typeof name === 'string' ? name : '';
}
