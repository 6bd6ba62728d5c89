import { createHash } from 'node:crypto';
import { Agent, request } from 'undici';
import type { Dispatcher } from 'undici';
import type { HarborConfig } from './config.ts';
import { startMemoryRegistry } from './memory-registry.ts';
import type { MemoryRegistry } from './memory-registry.ts';
import { bodyProblems, responseProblems, templateOf } from './openapi.ts';
import { startHarbor } from './server.ts';
import type { RunningHarbor } from './server.ts';

export const ADMIN = { name: 'admin', password: 'Harbor12345' };
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';

export interface Login {
  name: string;
  password: string;
}

export interface Ask {
  /** Default: the admin. null: nobody. A string: an Authorization header. */
  as?: Login | string | null;
  json?: unknown;
  body?: Buffer | Dispatcher.DispatchOptions['body'];
  headers?: Record<string, string>;
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  text: string;
  json: unknown;
}

/** A blob, or any other content, as a descriptor names it. */
export interface Content {
  mediaType: string;
  digest: string;
  size: number;
  bytes: Buffer;
}

export interface Bench {
  registry: MemoryRegistry;
  harbor: RunningHarbor;
  ask(method: string, path: string, ask?: Ask): Promise<Answer>;
  /** Below /api/v2.0; request and answer are checked against Harbor's API description. */
  api(method: string, path: string, ask?: Ask): Promise<Answer>;
  project(name: string, more?: object): Promise<void>;
  pushBlob(repository: string, bytes: Buffer, ask?: Ask): Promise<Answer>;
  pushManifest(repository: string, reference: string, manifest: object, ask?: Ask): Promise<Answer>;
  pushImage(repository: string, tag: string, seed?: string): Promise<Content>;
  close(): Promise<void>;
}

export const sha256 = (bytes: Buffer | string): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
export const basic = ({ name, password }: Login): string => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

export function content(mediaType: string, data: Buffer | string | object): Content {
  const bytes = Buffer.isBuffer(data) ? data : Buffer.from(typeof data === 'string' ? data : JSON.stringify(data));
  return { mediaType, digest: sha256(bytes), size: bytes.length, bytes };
}

export const describe = ({ mediaType, digest, size }: Content): object => ({ mediaType, digest, size });

export function imageOf(seed: string): { config: Content; layer: Content; manifest: object } {
  const config = content('application/vnd.oci.image.config.v1+json', { architecture: 'amd64', os: 'linux', author: seed });
  const layer = content('application/vnd.oci.image.layer.v1.tar', `layer of ${seed}`);
  const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: describe(config), layers: [describe(layer)] };
  return { config, layer, manifest };
}

function authorization(as: Ask['as']): Record<string, string> {
  if (as === null) return {};
  return { authorization: typeof as === 'string' ? as : basic(as ?? ADMIN) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The front over a memory registry, both on loopback, and a client that hides nothing. */
export async function openBench(more: Partial<HarborConfig> = {}, now?: () => number): Promise<Bench> {
  const registry = await startMemoryRegistry({ flavour: 'distribution' });
  const config: HarborConfig = {
    listen: { host: '127.0.0.1', port: 0 },
    tls: null,
    // Set to a real registry 2.8 (with deletion on and validation off), the same tests run over that one.
    upstream: process.env.HARBOR_FRONT_UPSTREAM ?? registry.url,
    stateFile: null,
    adminPassword: ADMIN.password,
    accessLog: null,
    delays: { wrongPasswordMs: 10 },
    ...more,
  };
  const harbor = await startHarbor(config, now);
  const dispatcher = new Agent({ pipelining: 1 });

  const ask = async (method: string, path: string, { as, json, body, headers = {} }: Ask = {}): Promise<Answer> => {
    const answer = await request(path.startsWith('http') ? path : harbor.url + path, {
      dispatcher,
      method: method,
      headers: { ...authorization(as), ...(json === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      body: json === undefined ? ((body ?? null) as Buffer | null) : JSON.stringify(json),
    });
    const text = await answer.body.text();
    const flat = Object.entries(answer.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]);
    return { status: answer.statusCode, headers: Object.fromEntries(flat) as Record<string, string>, text, json: parsed(text) };
  };
  const bench: Bench = {
    registry,
    harbor,
    ask,
    api: async (method, path, given) => {
      const answer = await ask(method, `/api/v2.0${path}`, given);
      const plain = (path.split('?')[0] ?? '').replaceAll('%252F', '%2F');
      const value = path === '/ping' ? answer.text : answer.json;
      const problems = responseProblems(method, plain, answer.status, value);
      // What Harbor accepts must be described as well.
      if (answer.status < 300 && given?.json !== undefined) {
        problems.push(
          ...bodyProblems(method, templateOf(plain) ?? '', given.json).map((problem) => `request ${problem.instancePath}`),
        );
      }
      if (problems.length > 0) throw new Error(`${method} ${path} → ${String(answer.status)}: ${problems.join('; ')}`);
      return answer;
    },
    project: async (name, extra = {}) => {
      const answer = await bench.api('POST', '/projects', { json: { project_name: name, ...extra } });
      if (answer.status !== 201) throw new Error(`project ${name}: ${answer.text}`);
    },
    pushBlob: async (repository, bytes, given = {}) => {
      const started = await ask('POST', `/v2/${repository}/blobs/uploads/`, given);
      if (started.status !== 202) return started;
      return ask('PUT', `${started.headers.location ?? ''}&digest=${sha256(bytes)}`, { ...given, body: bytes });
    },
    pushManifest: (repository, reference, manifest, given = {}) =>
      ask('PUT', `/v2/${repository}/manifests/${reference}`, {
        ...given,
        body: Buffer.from(JSON.stringify(manifest)),
        headers: { 'content-type': (manifest as { mediaType?: string }).mediaType ?? OCI_MANIFEST, ...given.headers },
      }),
    pushImage: async (repository, tag, seed = 'one') => {
      const { config, layer, manifest } = imageOf(seed);
      for (const blob of [config, layer]) await bench.pushBlob(repository, blob.bytes);
      const answer = await bench.pushManifest(repository, tag, manifest);
      if (answer.status !== 201) throw new Error(`push ${repository}:${tag}: ${answer.text}`);
      return content(OCI_MANIFEST, manifest);
    },
    close: async () => {
      await dispatcher.close();
      await harbor.close();
      await registry.close();
    },
  };
  return bench;
}
