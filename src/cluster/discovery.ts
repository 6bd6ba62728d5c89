import { z } from 'zod';
import { DeliverError } from '../core/errors.ts';
import { answerOf } from './answer.ts';
import { ApiStatus } from './api-status.ts';
import { apiError } from './api-error.ts';
import type { KubeTransport } from './transport.ts';

const ResourceList = z.object({
  resources: z.array(z.object({ name: z.string(), kind: z.string(), namespaced: z.boolean() })),
});

interface Resource {
  /** Plural name in paths. */
  readonly name: string;
  readonly namespaced: boolean;
}

/** Which paths the cluster has for which kinds, asked once per API version. */
export class Discovery {
  readonly #transport: KubeTransport;
  readonly #versions = new Map<string, ReadonlyMap<string, Resource>>();

  constructor(transport: KubeTransport) {
    this.#transport = transport;
  }

  /** @throws DeliverError E_APPLY when the cluster has no such kind, E_CLUSTER, E_CLUSTER_AUTH */
  async resource(type: { apiVersion: string; kind: string }, signal?: AbortSignal): Promise<Resource & { base: string }> {
    const known = this.#versions.get(type.apiVersion)?.get(type.kind);
    // A kind that was not there a moment ago may be there now: a CRD was applied.
    const found = known ?? (await this.#ask(type, signal)).get(type.kind);
    if (found !== undefined) return { ...found, base: baseOf(type.apiVersion) };
    throw new DeliverError('E_APPLY', {
      what: `The cluster has no kind ${type.kind} in ${type.apiVersion}.`,
      fix: 'Compare the cluster’s version with kubernetes.version of the release; a custom resource needs its definition first.',
      state: 'This object was not changed.',
    });
  }

  async #ask(type: { apiVersion: string; kind: string }, signal?: AbortSignal): Promise<ReadonlyMap<string, Resource>> {
    const { status, body } = await this.#transport.request({ method: 'GET', path: baseOf(type.apiVersion), signal });
    if (status === 404) return new Map();
    if (status !== 200) throw apiError(new ApiStatus(status, body), { verb: 'get', ref: type, resource: 'API resources' });
    const own = answerOf(ResourceList, body).resources.filter(({ name }) => !name.includes('/'));
    const kinds = new Map(own.map(({ name, kind, namespaced }) => [kind, { name, namespaced }]));
    this.#versions.set(type.apiVersion, kinds);
    return kinds;
  }
}

function baseOf(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}
