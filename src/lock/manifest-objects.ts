import { isCollection, LineCounter, parseAllDocuments, visit, type Document } from 'yaml';
import { DeliverError, messageOf } from '../core/errors.ts';
import type { JsonPath } from '../manifest/problem.ts';

/** More aliases than this is a bomb, not a manifest. */
const MAX_ALIASES = 100;

/** One Kubernetes object of a file. */
export interface ManifestObject {
  readonly value: Readonly<Record<string, unknown>>;
  readonly kind: string;
  readonly name: string;
  /** `file:line:col` of what stands at a path in it. */
  readonly positionOf: (path: JsonPath) => string;
}

/**
 * The objects of a manifest file as kubectl reads it: several documents, YAML 1.1 words and octal numbers, merge keys, keys
 * that are there twice (the last one counts), empty documents.
 * @param file how the file is named in messages
 * @throws DeliverError E_YAML or E_SCHEMA with every problem as `file:line:col  message`
 */
export function manifestObjects(file: string, text: string): readonly ManifestObject[] {
  const lines = new LineCounter();
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${String(Math.max(1, line))}:${String(Math.max(1, col))}`;
  };
  const documents = parsed(text, lines);
  const wrong = documents.flatMap((document) => [
    ...document.errors.map((error) => `${at(error.pos[0])}  ${error.message}`),
    ...keysThatAreMaps(document).map(
      (offset) => `${at(offset)}  a key can’t be a map: is this a template that nobody filled in?`,
    ),
  ]);
  if (wrong.length > 0) throw refused('E_YAML', `${file} is not YAML that kubectl reads.`, wrong);
  const strangers: string[] = [];
  const objects = documents.flatMap((document): ManifestObject[] => {
    const value = valueOf(file, document);
    if (value === null || value === undefined) return [];
    const start = document.contents?.range?.[0] ?? 0;
    const object = asObject(value);
    if (object === undefined) {
      strangers.push(`${at(start)}  is no Kubernetes object: apiVersion or kind is missing`);
      return [];
    }
    return [{ ...object, positionOf: (path) => at(offsetOf(document, path) ?? start) }];
  });
  if (strangers.length === 0) return objects;
  throw refused('E_SCHEMA', `${file} holds what is no Kubernetes object.`, strangers);
}

function parsed(text: string, lines: LineCounter): readonly Document[] {
  const options = {
    version: '1.1',
    merge: true,
    uniqueKeys: false,
    strict: false,
    prettyErrors: false,
    logLevel: 'error',
    lineCounter: lines,
  } as const;
  const documents = parseAllDocuments(text, options);
  return 'empty' in documents ? [] : documents;
}

/** What `{{ .Values.x }}` is in YAML; kubectl refuses it. */
function keysThatAreMaps(document: Document): readonly number[] {
  const found: number[] = [];
  visit(document, {
    Pair: (_, { key }) => {
      if (isCollection(key)) found.push(key.range?.[0] ?? 0);
    },
  });
  return found;
}

function valueOf(file: string, document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (cause) {
    throw new DeliverError('E_YAML', { what: `${file} is not YAML that kubectl reads.`, why: messageOf(cause), cause });
  }
}

function asObject(value: unknown): Pick<ManifestObject, 'value' | 'kind' | 'name'> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const object = value as Record<string, unknown>;
  const { apiVersion, kind, metadata } = object;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return undefined;
  const name = typeof metadata === 'object' && metadata !== null && 'name' in metadata ? metadata.name : undefined;
  return { value: object, kind, name: typeof name === 'string' ? name : '' };
}

function offsetOf(document: Document, path: JsonPath): number | undefined {
  const node: unknown = document.getIn(path, true);
  const range: unknown = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined;
  const start: unknown = Array.isArray(range) ? range[0] : undefined;
  return typeof start === 'number' ? start : undefined;
}

function refused(code: 'E_YAML' | 'E_SCHEMA', what: string, details: readonly string[]): DeliverError {
  return new DeliverError(code, { what, details, state: 'Nothing was written.' });
}
