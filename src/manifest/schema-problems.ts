import type { z } from 'zod';
import type { JsonPath, Problem } from './problem.ts';
import { valueAt } from './raw.ts';
import { keysAt } from './schema-keys.ts';
import { didYouMean } from './suggest.ts';

type Issue = z.core.$ZodIssue;

/** What a schema has against a value, in a person's words: empty when it fits. Values are never repeated, they may be secret. */
export function schemaProblems(schema: z.ZodType, value: unknown, at: JsonPath = []): Problem[] {
  const result = schema.safeParse(value);
  if (result.success) return [];
  return result.error.issues
    .flatMap((issue) => problemsOf(issue, schema, value))
    .map((problem) => ({ ...problem, path: [...at, ...problem.path] }));
}

function problemsOf(issue: Issue, schema: z.ZodType, value: unknown): Problem[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, path);
    return issue.keys.map((key) => ({ path: [...path, key], message: `unknown key.${didYouMean(key, known)}` }));
  }
  if (issue.code === 'invalid_union') return unionProblems(issue, path, schema, value);
  return [{ path, message: messageFor(issue, valueAt(value, path)) }];
}

/** The branch that got furthest is the one that was meant; where none got anywhere, all are offered. */
function unionProblems(issue: Issue & { code: 'invalid_union' }, path: JsonPath, schema: z.ZodType, value: unknown): Problem[] {
  const branches = issue.errors.map((issues) => issues.map((inner) => ({ ...inner, path: [...path, ...inner.path] })));
  const deep = branches.filter((issues) =>
    issues.some((inner) => inner.path.length > path.length || inner.code === 'unrecognized_keys'),
  );
  const meant = deep.sort((a, b) => a.length - b.length)[0];
  if (meant !== undefined) return meant.flatMap((inner) => problemsOf(inner, schema, value));
  const found = valueAt(value, path);
  const offers = branches.flatMap((issues) =>
    issues.map((inner) => messageFor(inner, found).replace(/^must (be|look like) /, '')),
  );
  return [{ path, message: `must be ${[...new Set(offers)].join(', or ')}` }];
}

function messageFor(issue: Issue, found: unknown): string {
  if (issue.code === 'invalid_type') {
    if (found === undefined) return 'is missing';
    const quotes =
      issue.expected === 'string' && (typeof found === 'number' || typeof found === 'boolean') ? '; put it in quotes' : '';
    return `must be ${TYPE_NAMES[issue.expected] ?? issue.expected}${quotes}`;
  }
  if (issue.code === 'invalid_value') {
    if (found === undefined) return 'is missing';
    const values = issue.values.map(String);
    const hint = typeof found === 'string' && values.length > 1 ? didYouMean(found, values) : '';
    return `must be ${values.join(', ')}${hint === '' ? '' : `.${hint}`}`;
  }
  if (issue.code === 'too_small')
    return issue.origin === 'array' || issue.origin === 'string'
      ? 'must not be empty'
      : `must be at least ${String(issue.minimum)}`;
  if (issue.code === 'too_big')
    return `must be at most ${String(issue.maximum)}${issue.origin === 'string' ? ' characters' : ''}`;
  if (issue.code === 'invalid_format' && issue.format === 'starts_with') return `must start with “${prefixOf(issue)}”`;
  if (issue.code === 'invalid_format' && issue.format === 'url') return 'must be a URL';
  if (issue.code === 'invalid_key') return `has a key that can’t be: ${issue.issues.map((inner) => inner.message).join('; ')}`;
  return issue.message;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

function prefixOf(issue: object): string {
  return 'prefix' in issue ? String(issue.prefix) : '';
}
