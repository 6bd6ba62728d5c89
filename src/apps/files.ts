import { createHash } from 'node:crypto';
import type { KubeObject } from '../cluster/port.ts';
import { canonicalJson } from '../core/canonical-json.ts';
import { digestOf } from '../core/digest.ts';
import type { App } from '../manifest/app-schema.ts';
import { appError } from './app-error.ts';
import type { AppContext, FileContent } from './context.ts';
import { metadataOf, whenFilled } from './metadata.ts';

/** A ConfigMap may not be larger (validation of core/v1 ConfigMap). */
const LIMIT = 1024 * 1024;

interface AppFile {
  /** Path in the container. */
  readonly path: string;
  /** Key in the ConfigMap. */
  readonly key: string;
  readonly content: FileContent;
}

/** The app's files with their ConfigMap keys, by path. @throws DeliverError E_SCHEMA when content is missing or too large. */
export function filesOf(app: App, context: AppContext): AppFile[] {
  const taken = new Set<string>();
  const files = Object.keys(app.files ?? {})
    .sort()
    .map((path) => {
      const content = context.files.get(path);
      if (content === undefined)
        throw appError(app, `The content of file ${path} is not in the bundle.`, 'Resolve and pack the release again.');
      const key = keyOf(path, taken);
      taken.add(key);
      return { path, key, content };
    });
  const size = files.reduce((sum, file) => sum + Buffer.byteLength(file.content), 0);
  if (size > LIMIT)
    throw appError(
      app,
      `Its files are ${String(size)} bytes together; a ConfigMap holds 1 MiB.`,
      'Put them in the image or on a volume.',
    );
  return files;
}

/** ConfigMap `<app>-files`; bytes that are not UTF-8 go to binaryData. */
export function renderFiles(app: App, files: readonly AppFile[], context: AppContext): KubeObject {
  const texts = files.flatMap(({ key, content }) => {
    const text = asText(content);
    return text === undefined ? [] : [[key, text] as const];
  });
  const binaries = files.flatMap(({ key, content }) => (asText(content) === undefined ? [[key, base64(content)] as const] : []));
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadataOf({ name: `${app.name}-files`, namespace: app.namespace, labels: { app: app.name } }, context.release),
    ...whenFilled('data', Object.fromEntries(texts)),
    ...whenFilled('binaryData', Object.fromEntries(binaries)),
  };
}

/** Changes when a file does. On the pod template it makes a change roll, since a subPath mount is never refreshed. */
export function filesChecksum(files: readonly AppFile[]): string {
  return digestOf(canonicalJson(files.map(({ path, content }) => [path, digestOf(content)])));
}

function keyOf(path: string, taken: ReadonlySet<string>): string {
  const plain = path.slice(1).replace(/[^-._a-zA-Z0-9]/g, '_');
  if (plain.length <= 253 && !taken.has(plain) && !/^\.{1,2}$/.test(plain)) return plain;
  return `${createHash('sha256').update(path).digest('hex').slice(0, 12)}-${plain.slice(-200)}`;
}

function asText(content: FileContent): string | undefined {
  if (typeof content === 'string') return content;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return undefined;
  }
}

function base64(content: FileContent): string {
  return Buffer.from(content).toString('base64');
}
