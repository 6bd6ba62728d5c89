import { DeliverError } from '../../core/errors.ts';
import type { Findings } from './findings.ts';
import { pathText, type JsonPath, type Problem } from '../problem.ts';
import type { Raw } from '../raw.ts';
import { didYouMean } from '../suggest.ts';
import { parseYaml } from '../yaml-document.ts';

/** Annotations in which a KubeKey file says what KubeKey has no words for; `kk` itself takes no notice of them. */
const ANNOTATIONS = { Release: 'deliver/release', Site: 'deliver/site' } as const;

type Kind = keyof typeof ANNOTATIONS;

/** The fields of ours that the annotation holds as YAML: mirrors, manifests, trusted keys; an empty map when there is none. */
export function moreFields(annotations: Readonly<Record<string, string>> = {}, kind: Kind, findings: Findings): Raw {
  const name = ANNOTATIONS[kind];
  for (const key of Object.keys(annotations).filter((found) => found.startsWith('deliver/') && found !== name)) {
    findings.problem(['metadata', 'annotations', key], `is not an annotation that deliver reads.${didYouMean(key, [name])}`);
  }
  const text = annotations[name];
  if (text === undefined) return {};
  const value = parsed(text, at(kind), findings);
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Raw;
  findings.problem(at(kind), `must be fields of a ${kind} as YAML`);
  return {};
}

function parsed(text: string, path: JsonPath, findings: Findings): unknown {
  try {
    return parseYaml('in it', text, { confidential: true }).value;
  } catch (error) {
    if (!(error instanceof DeliverError)) throw error;
    for (const line of error.facts.details ?? []) findings.problem(path, line);
    return {};
  }
}

/** Maps are merged key by key, everything else is replaced. */
export function merged(base: object, more: Raw): object {
  const entries = Object.entries(more).map(([key, value]): [string, unknown] => {
    const before: unknown = Object.hasOwn(base, key) ? (base as Raw)[key] : undefined;
    return [key, isMap(before) && isMap(value) ? merged(before, value) : value];
  });
  return { ...base, ...Object.fromEntries(entries) };
}

function isMap(value: unknown): value is Raw {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** A problem of the finished release or site, at its place in the KubeKey file. */
export function moved(problem: Problem, kind: Kind, more: Raw, kubeKeyPath: (path: JsonPath) => JsonPath): Problem {
  const [top] = problem.path;
  if (top === undefined || !Object.hasOwn(more, top)) return { ...problem, path: kubeKeyPath(problem.path) };
  return { ...problem, path: at(kind), message: `${pathText(problem.path)}: ${problem.message}` };
}

function at(kind: Kind): JsonPath {
  return ['metadata', 'annotations', ANNOTATIONS[kind]];
}
