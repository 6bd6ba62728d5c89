import { z } from 'zod';
import type { Dial } from '../ssh/port.ts';
import { answerOf } from './answer.ts';
import { apiError, type Verb } from './api-error.ts';
import { ApiStatus } from './api-status.ts';
import { Discovery } from './discovery.ts';
import { readKubeconfig } from './kubeconfig.ts';
import { FIELD_MANAGER } from './owner.ts';
import type { ApplyOptions, ClusterApi, DeleteOptions, KubeObject, KubeRef, ListOptions } from './port.ts';
import { KubeTransport, type KubeRequest } from './transport.ts';

const PAGE = 500;

const ObjectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
});
const ListSchema = z.object({
  metadata: z.object({ continue: z.string().optional() }),
  items: z.array(z.looseObject({ metadata: z.looseObject({ name: z.string() }) })),
});
const VersionSchema = z.object({ gitVersion: z.string() });

export interface ClusterApiOptions {
  /** Text of the kubeconfig. */
  readonly kubeconfig: string;
  /** Where relative file names in it start. */
  readonly folder?: string | undefined;
  /** Context to use instead of its current one. */
  readonly context?: string | undefined;
  /** Reaches the API server through a tunnel; names and certificates stay those of the kubeconfig. */
  readonly dial?: Dial | undefined;
  /** Milliseconds for which requests wait for an API server that went away; 30 000 when absent. */
  readonly patience?: number | undefined;
}

/**
 * The cluster of a kubeconfig; nothing is sent yet. The requests are deliver's own over undici: the client library reads
 * the kubeconfig, but can neither use a given stream as connection nor say what should be tried again.
 * @throws DeliverError E_KUBECONFIG
 */
export async function createClusterApi(options: ClusterApiOptions): Promise<ClusterApi> {
  const endpoint = await readKubeconfig(options.kubeconfig, options);
  return new KubeClient(new KubeTransport(endpoint, options));
}

class KubeClient implements ClusterApi {
  readonly #transport: KubeTransport;
  readonly #discovery: Discovery;

  constructor(transport: KubeTransport) {
    this.#transport = transport;
    this.#discovery = new Discovery(transport);
  }

  async version(signal?: AbortSignal): Promise<string> {
    const { status, body } = await this.#transport.request({ method: 'GET', path: '/version', signal });
    if (status === 200) return answerOf(VersionSchema, body).gitVersion;
    throw apiError(new ApiStatus(status, body), {
      verb: 'get',
      ref: { apiVersion: 'v1', kind: 'version' },
      resource: 'the version',
    });
  }

  async get(ref: KubeRef, signal?: AbortSignal): Promise<KubeObject | undefined> {
    const body = await this.#call('get', ref, { signal });
    return body === undefined ? undefined : answerOf(ObjectSchema, body);
  }

  async list(type: { apiVersion: string; kind: string }, options: ListOptions = {}, signal?: AbortSignal): Promise<KubeObject[]> {
    const objects: KubeObject[] = [];
    let next: string | undefined;
    do {
      const query = {
        limit: String(PAGE),
        ...(options.labelSelector === undefined ? {} : { labelSelector: options.labelSelector }),
        ...(options.fieldSelector === undefined ? {} : { fieldSelector: options.fieldSelector }),
        ...(next === undefined ? {} : { continue: next }),
      };
      const ref = { ...type, ...(options.namespace === undefined ? {} : { namespace: options.namespace }) };
      const page = answerOf(ListSchema, (await this.#call('list', ref, { query, signal })) ?? { metadata: {}, items: [] });
      // Items of a list don't say what they are; the list did.
      for (const item of page.items) objects.push({ ...item, ...type });
      next = page.metadata.continue === '' ? undefined : page.metadata.continue;
    } while (next !== undefined);
    return objects;
  }

  async apply(object: KubeObject, options: ApplyOptions = {}): Promise<KubeObject> {
    const query = {
      fieldManager: options.manager ?? FIELD_MANAGER,
      fieldValidation: 'Strict',
      force: String(options.force ?? false),
      ...(options.dryRun === true ? { dryRun: 'All' } : {}),
    };
    const { apiVersion, kind, metadata } = object;
    const ref = { apiVersion, kind, name: metadata.name, namespace: metadata.namespace };
    const body = await this.#call('patch', ref, { query, body: JSON.stringify(object), signal: options.signal });
    return answerOf(ObjectSchema, body);
  }

  async delete(ref: KubeRef, options: DeleteOptions = {}): Promise<void> {
    const body = {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      propagationPolicy: options.propagation ?? 'Background',
      ...(options.uid === undefined ? {} : { preconditions: { uid: options.uid } }),
    };
    await this.#call('delete', ref, { body: JSON.stringify(body), signal: options.signal });
  }

  async close(): Promise<void> {
    await this.#transport.close();
  }

  /** The answer's body; undefined when a get or delete finds nothing, or an object of another uid. */
  async #call(
    verb: Verb,
    ref: Omit<KubeRef, 'name'> & { readonly name?: string },
    options: { query?: Readonly<Record<string, string>>; body?: string; signal?: AbortSignal | undefined },
  ): Promise<unknown> {
    const { base, name: resource, namespaced } = await this.#discovery.resource(ref, options.signal);
    const namespace = namespaced && ref.namespace !== undefined ? `/namespaces/${encodeURIComponent(ref.namespace)}` : '';
    const name = ref.name === undefined ? '' : `/${encodeURIComponent(ref.name)}`;
    const query = options.query === undefined ? '' : `?${new URLSearchParams(options.query).toString()}`;
    const { status, body } = await this.#transport.request({
      method: METHOD[verb],
      path: `${base}${namespace}/${resource}${name}${query}`,
      ...(options.body === undefined ? {} : { body: options.body, contentType: CONTENT_TYPE[verb] }),
      signal: options.signal,
    });
    if (status < 300) return body;
    if (status === 404 && (verb === 'get' || verb === 'delete')) return undefined;
    if (status === 409 && verb === 'delete') return undefined;
    throw apiError(new ApiStatus(status, body), { verb, ref, resource });
  }
}

const METHOD: Readonly<Record<Verb, KubeRequest['method']>> = { get: 'GET', list: 'GET', patch: 'PATCH', delete: 'DELETE' };
const CONTENT_TYPE: Readonly<Record<Verb, string>> = {
  get: 'application/json',
  list: 'application/json',
  patch: 'application/apply-patch+yaml',
  delete: 'application/json',
};
