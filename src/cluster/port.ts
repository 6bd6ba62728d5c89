/** A Kubernetes object as JSON; `spec` and the rest are the API server's business. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: KubeMetadata;
  readonly [field: string]: unknown;
}

export interface KubeMetadata {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly uid?: string | undefined;
  readonly generation?: number | undefined;
  readonly [field: string]: unknown;
}

/** What names an object. */
export interface KubeRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string | undefined;
}

export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** The Kubernetes API as deliver needs it. Field manager is always `deliver`. */
export interface ClusterApi {
  /** `v1.34.4`. @throws DeliverError E_CLUSTER, E_CLUSTER_AUTH */
  version(signal?: AbortSignal): Promise<string>;
  get(ref: KubeRef, signal?: AbortSignal): Promise<KubeObject | undefined>;
  list(type: { apiVersion: string; kind: string }, options?: ListOptions, signal?: AbortSignal): Promise<readonly KubeObject[]>;
  /** Server-side apply; with `dryRun` nothing is stored. Returns the object as the server has it (or would). */
  apply(object: KubeObject, options?: { dryRun?: boolean; force?: boolean; signal?: AbortSignal }): Promise<KubeObject>;
  delete(ref: KubeRef, signal?: AbortSignal): Promise<void>;
}
