import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { DeliverError } from '../core/errors.ts';
import { refuse, type PositionOf, type Problem } from './problem.ts';
import { readText } from './read-text.ts';
import { schemaProblems } from './schema-problems.ts';
import { parseYaml } from './yaml-document.ts';

/** A file of ours that was read and checked. */
export interface Loaded {
  /** As the caller named it; positions start with it. */
  readonly path: string;
  /** Absolute folder of the file: what paths in it are relative to. */
  readonly folder: string;
  readonly text: string;
  readonly positionOf: PositionOf;
}

interface Wanted<T> {
  readonly kind: 'Release' | 'Site';
  readonly schema: z.ZodType<T>;
  /** Checks that a schema can't say; gets the raw value, of which any part may be wrong. */
  readonly check: (raw: Readonly<Record<string, unknown>>) => Problem[];
}

/**
 * Reads a Release or Site and reports every problem at once.
 * @throws DeliverError E_FILE_NOT_FOUND, E_FILE_UNREADABLE, E_YAML, E_SCHEMA, E_NOT_YET and what single checks throw
 */
export async function loadDocument<T>(path: string, wanted: Wanted<T>): Promise<Loaded & { readonly value: T }> {
  const text = await readText(path, `The ${wanted.kind.toLowerCase()} file`);
  const { value: raw, positionOf } = parseYaml(path, text);
  if (raw === null || typeof raw !== 'object' || Array.isArray(raw)) {
    throw new DeliverError('E_SCHEMA', {
      what: `${path} holds no ${wanted.kind}.`,
      fix: `Start it with apiVersion: deliver/v1 and kind: ${wanted.kind}`,
    });
  }
  const document = raw as Record<string, unknown>;
  refuseOtherKind(path, document, wanted.kind, positionOf);
  refuse(path, [...schemaProblems(wanted.schema, document), ...wanted.check(document)], positionOf);
  return { path, folder: dirname(resolve(path)), text, positionOf, value: wanted.schema.parse(document) };
}

function refuseOtherKind(
  path: string,
  document: Readonly<Record<string, unknown>>,
  wanted: string,
  positionOf: PositionOf,
): void {
  const { apiVersion, kind } = document;
  const where = positionOf(['kind']);
  if (typeof apiVersion === 'string' && apiVersion.startsWith('kubekey.kubesphere.io/')) {
    throw new DeliverError('E_NOT_YET', {
      what: `${path} is a KubeKey ${typeof kind === 'string' ? kind : 'file'}, which deliver can’t read yet.`,
      fix: `Write it as kind: ${wanted} of deliver/v1; docs/schema has the fields.`,
      details: [`${where}  apiVersion: ${apiVersion}`],
    });
  }
  if (apiVersion === 'deliver/v1' && typeof kind === 'string' && kind !== wanted && ['Release', 'Site', 'Lock'].includes(kind)) {
    throw new DeliverError('E_SCHEMA', {
      what: `${path} is a ${kind}, and a ${wanted} is needed here.`,
      details: [`${where}  kind: ${kind}`],
      fix: 'Check which file goes where: deliver … RELEASE.yaml, deliver … --site SITE.yaml.',
    });
  }
}
