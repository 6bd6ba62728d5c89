import { DeliverError } from '../core/errors.ts';
import { pathText, type JsonPath } from './problem.ts';
import { didYouMean } from './suggest.ts';
import { nameSteps, replaceVariables, wholeVariable, type ScopeName, type Variable } from './variables.ts';

/** Values by scope: a flat map for versions and secrets, any tree for site and outputs. */
export type Scopes = Readonly<Partial<Record<ScopeName, Readonly<Record<string, unknown>>>>>;

export interface InterpolateOptions {
  /** Scopes that are filled in later. As long as there are any, `$${` stays as it is too. */
  readonly leave?: readonly ScopeName[];
  /** More about a variable that has no value: `is not set in plant-7.site.yaml`. */
  readonly missing?: (variable: Variable) => string | undefined;
}

/**
 * The value with its variables filled in. A text that is wholly one variable becomes that variable's value, of whatever type;
 * inside longer text only scalars fit. `$${` becomes `${` once no scope is left for later.
 * @throws DeliverError E_VARIABLE with every variable that has no value, in details
 */
export function interpolate(value: unknown, scopes: Scopes, options: InterpolateOptions = {}): unknown {
  const problems: string[] = [];
  const filled = new Filler(scopes, options, problems).fill(value, []);
  if (problems.length === 0) return filled;
  throw new DeliverError('E_VARIABLE', {
    what: problems.length === 1 ? 'A variable can’t be filled in.' : `${String(problems.length)} variables can’t be filled in.`,
    details: problems,
    fix: 'Set the value, or write $${ where a literal ${ is meant.',
  });
}

class Filler {
  readonly #scopes: Scopes;
  readonly #options: InterpolateOptions;
  readonly #problems: string[];
  readonly #leave: ReadonlySet<string>;

  constructor(scopes: Scopes, options: InterpolateOptions, problems: string[]) {
    this.#scopes = scopes;
    this.#options = options;
    this.#problems = problems;
    this.#leave = new Set(options.leave);
  }

  fill(value: unknown, path: JsonPath): unknown {
    if (typeof value === 'string') return this.#text(value, path);
    if (Array.isArray(value)) return value.map((item: unknown, index) => this.fill(item, [...path, index]));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.fill(item, [...path, key])]));
  }

  #text(text: string, path: JsonPath): unknown {
    const whole = wholeVariable(text);
    if (whole !== undefined) return this.#leave.has(whole.scope) ? text : this.#value(whole, path);
    const escape = this.#leave.size > 0 ? '$${' : '${';
    return replaceVariables(
      text,
      (variable) => {
        if (this.#leave.has(variable.scope)) return variable.text;
        const value = this.#value(variable, path);
        if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
        if (value !== undefined) this.#report(path, variable, 'is a list or a map and does not fit inside a text');
        return '';
      },
      escape,
    );
  }

  #value(variable: Variable, path: JsonPath): unknown {
    const scope = Object.hasOwn(this.#scopes, variable.scope) ? this.#scopes[variable.scope as ScopeName] : undefined;
    if (scope === undefined) {
      const known = [...Object.keys(this.#scopes), ...this.#leave];
      this.#report(path, variable, unknownScope(variable, known));
      return undefined;
    }
    if (Object.hasOwn(scope, variable.name) && scope[variable.name] !== undefined) return scope[variable.name];
    const found = walk(scope, nameSteps(variable.name));
    if (found.value === undefined) {
      const why = this.#options.missing?.(variable) ?? `has no value.${didYouMean(String(found.step), found.keys)}`;
      this.#report(path, variable, why);
    }
    return found.value;
  }

  #report(path: JsonPath, variable: Variable, why: string): void {
    const where = pathText(path);
    this.#problems.push(`${where === '' ? '' : `${where}: `}${variable.text} ${why}`);
  }
}

/** Says what is wrong with a variable whose first word is no scope. */
export function unknownScope(variable: Variable, known: readonly string[]): string {
  if (variable.text === '${') return 'opens a variable that never ends';
  const offers = known.map((scope) => `\${${scope}.…}`).join(', ');
  return `is not a variable here${offers === '' ? '' : ` (there are ${offers})`}.${didYouMean(variable.scope, known)}`;
}

/** Follows the steps as far as they lead; `step` and `keys` say where a walk that failed stopped. */
function walk(top: unknown, steps: readonly (string | number)[]): { value: unknown; step: string | number; keys: string[] } {
  let at = top;
  for (const step of steps) {
    const inside = at !== null && typeof at === 'object';
    const next: unknown =
      inside && Object.hasOwn(at as object, step) ? (at as Record<string | number, unknown>)[step] : undefined;
    if (next === undefined) return { value: undefined, step, keys: inside ? Object.keys(at as object) : [] };
    at = next;
  }
  return { value: at, step: '', keys: [] };
}
