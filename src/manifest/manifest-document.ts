import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { DeliverError } from '../core/errors.ts';
import { KUBEKEY_GROUP, kubeKeyKind, refuseKubeSphere, type KubeKeyKind } from './kubekey/document.ts';
import { refuse, type PositionOf, type Problem } from './problem.ts';
import type { Raw } from './raw.ts';
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

/** A file whose kind is known and whose content is not checked yet. */
export interface OpenedDocument extends Loaded {
  readonly raw: Raw;
  /** Set when it is KubeKey's. */
  readonly kubeKey?: KubeKeyKind;
}

interface Rules<T> {
  readonly schema: z.ZodType<T>;
  /** Checks that a schema can't say; gets the raw value, of which any part may be wrong. */
  readonly check: (raw: Raw) => Problem[];
}

type Kind = 'Release' | 'Site';

/** What KubeKey calls it. */
const KUBEKEY_KIND: Readonly<Record<Kind, KubeKeyKind>> = { Release: 'Manifest', Site: 'Cluster' };

/**
 * Reads a file that must be a Release or Site, ours or KubeKey's.
 * @throws DeliverError E_FILE_NOT_FOUND, E_FILE_UNREADABLE, E_YAML, E_SCHEMA for another kind, E_NOT_YET for another KubeKey
 */
export async function openDocument(path: string, wanted: Kind): Promise<OpenedDocument> {
  const opened = await openAnyDocument(path, `${wanted.toLowerCase()} file`);
  const { kubeKey } = opened;
  refuseOtherKind(opened, wanted);
  if (kubeKey !== undefined && kubeKey !== KUBEKEY_KIND[wanted]) {
    throw otherKind(opened, `a ${kubeKey} of KubeKey, and a ${KUBEKEY_KIND[wanted]} or a ${wanted} is needed here`);
  }
  return opened;
}

/**
 * Reads a file of whatever kind.
 * @param what how the file is called in messages: `release file`
 * @throws DeliverError E_FILE_NOT_FOUND, E_FILE_UNREADABLE, E_YAML, E_SCHEMA when it is no map, E_NOT_YET for another KubeKey
 */
export async function openAnyDocument(path: string, what: string): Promise<OpenedDocument> {
  const text = await readText(path, `The ${what}`);
  refuseKubeSphere(path, text);
  // KubeKey's files hold passwords, which the parser's words would quote.
  const { value: raw, positionOf } = parseYaml(path, text, { confidential: text.includes(KUBEKEY_GROUP) });
  if (raw === null || typeof raw !== 'object' || Array.isArray(raw)) {
    throw new DeliverError('E_SCHEMA', {
      what: `${path} is no ${what}.`,
      why: 'It must be a YAML map that begins with apiVersion: and kind:.',
    });
  }
  const kubeKey = kubeKeyKind(path, raw as Raw, positionOf);
  const folder = dirname(resolve(path));
  return { path, folder, text, positionOf, raw: raw as Raw, ...(kubeKey === undefined ? {} : { kubeKey }) };
}

/**
 * The value of a document of ours, every problem reported at once.
 * @throws DeliverError E_SCHEMA, E_NOT_YET and what single checks throw
 */
export function checkedValue<T>({ path, raw, positionOf }: OpenedDocument, { schema, check }: Rules<T>): T {
  refuse(path, [...schemaProblems(schema, raw), ...check(raw)], positionOf);
  return schema.parse(raw);
}

function refuseOtherKind(opened: OpenedDocument, wanted: Kind): void {
  const { apiVersion, kind } = opened.raw;
  if (apiVersion === 'deliver/v1' && typeof kind === 'string' && kind !== wanted && ['Release', 'Site', 'Lock'].includes(kind)) {
    throw otherKind(opened, `a ${kind}, and a ${wanted} is needed here`);
  }
}

function otherKind({ path, raw, positionOf }: OpenedDocument, what: string): DeliverError {
  return new DeliverError('E_SCHEMA', {
    what: `${path} is ${what}.`,
    details: [`${positionOf(['kind'])}  kind: ${String(raw.kind)}`],
    fix: 'Check which file goes where: deliver … RELEASE.yaml, deliver … --site SITE.yaml.',
  });
}
