import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import type { ErrorObject, ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

interface Parameter {
  $ref?: string;
  in?: string;
  schema?: unknown;
}
interface Response {
  $ref?: string;
  schema?: unknown;
}
interface Operation {
  parameters?: Parameter[];
  responses: Record<string, Response>;
}
interface Swagger {
  paths: Record<string, Record<string, Operation>>;
  definitions: Record<string, unknown>;
  responses: Record<string, Response>;
}

/** Harbor's own API description, cut down to the paths that the front answers. */
const FILE = new URL('../../fixtures/harbor-openapi.yaml', import.meta.url);

/**
 * Swagger 2 → JSON Schema: x-nullable becomes a null type; a bare `type: object` is Go's interface{}: anything.
 * A list may be null: Harbor writes `"tags":null` for Go's nil slice.
 */
function convert(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(convert);
  if (node === null || typeof node !== 'object') return node;
  const keys = Object.keys(node).filter((key) => key !== 'description');
  if (keys.length === 1 && (node as { type?: unknown }).type === 'object') return {};
  const out = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, convert(value)]));
  if (out.type === 'array') return { ...out, type: ['array', 'null'] };
  if (out['x-nullable'] !== true) return out;
  if (out.$ref !== undefined) return { anyOf: [out, { type: 'null' }] };
  return { ...out, type: [out.type, 'null'] };
}

const swagger = convert(parse(readFileSync(FILE, 'utf8'))) as Swagger;
const ajv = new Ajv({ strict: false, allErrors: true });
(addFormats as unknown as { default: (instance: Ajv) => void }).default(ajv);
for (const format of ['int', 'int8', 'uint64']) ajv.addFormat(format, true);
ajv.addSchema({ $id: 'harbor', definitions: swagger.definitions });

const compiled = new Map<unknown, ValidateFunction>();
function validate(schema: unknown, value: unknown): ErrorObject[] {
  const absolute = JSON.parse(JSON.stringify(schema).replaceAll('"#/definitions/', '"harbor#/definitions/')) as object;
  const check = compiled.get(schema) ?? ajv.compile(absolute);
  compiled.set(schema, check);
  return check(value) ? [] : (check.errors ?? []);
}

/** Problems of a request body; an operation without one has none. */
export function bodyProblems(method: string, template: string, value: unknown): ErrorObject[] {
  const operation = swagger.paths[template]?.[method.toLowerCase()];
  const body = operation?.parameters?.find((parameter) => parameter.in === 'body');
  return body?.schema === undefined ? [] : validate(body.schema, value);
}

const ARTIFACT = '/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}';
/** Answers that Harbor was seen to give although its own description forgets them: errors all the same. */
const FORGOTTEN = new Set([
  'HEAD /projects 401',
  'POST /projects 403',
  'POST /projects 422',
  'POST /robots 409',
  `DELETE ${ARTIFACT} 412`,
  `DELETE ${ARTIFACT}/tags/{tag_name} 412`,
]);

/** Problems of an answer, as text; among them a status that the description does not know. `value` undefined: no body. */
export function responseProblems(method: string, path: string, status: number, value: unknown): string[] {
  const template = templateOf(path);
  const operation = swagger.paths[template ?? '']?.[method.toLowerCase()];
  if (template === null || operation === undefined) return [`no operation ${method} ${path}`];
  const key = `${method} ${template} ${String(status)}`;
  const named = operation.responses[String(status)] ?? (FORGOTTEN.has(key) ? { $ref: '#/responses/400' } : undefined);
  if (method === 'HEAD' && named !== undefined) return value === undefined ? [] : ['a body in an answer to HEAD'];
  if (named === undefined) return [`no such answer: ${key}`];
  const answer = named.$ref === undefined ? named : swagger.responses[named.$ref.replace('#/responses/', '')];
  if (answer?.schema === undefined) return value === undefined ? [] : ['a body where none is described'];
  return validate(answer.schema, value).map((error) => `${error.instancePath}: ${error.message ?? 'wrong'}`);
}

/** The description's path for a path as sent, e.g. `/projects/p1` → `/projects/{project_name_or_id}`. */
export function templateOf(path: string): string | null {
  const parts = path.split('/');
  const fits = (template: string): boolean => {
    const wanted = template.split('/');
    return wanted.length === parts.length && wanted.every((part, i) => part.startsWith('{') || part === parts[i]);
  };
  const candidates = Object.keys(swagger.paths).filter(fits);
  return candidates.sort((a, b) => a.split('{').length - b.split('{').length)[0] ?? null;
}

export const methodsOf = (template: string): string[] =>
  Object.keys(swagger.paths[template] ?? {}).map((method) => method.toUpperCase());
