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

export interface ApplyOptions {
  /** Nothing is stored; the answer is what would be. */
  readonly dryRun?: boolean;
  /** Takes over fields that another manager owns. */
  readonly force?: boolean;
  /** Another name than deliver’s own: two holders of one lock must not be one to the API server. */
  readonly manager?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface DeleteOptions {
  /** Only the object with this uid, not a newer one of the same name. */
  readonly uid?: string | undefined;
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
  readonly signal?: AbortSignal | undefined;
}

/** The Kubernetes API as deliver needs it. Field manager is `deliver`. Every call is safe to repeat. */
export interface ClusterApi {
  /** `v1.34.4`. @throws DeliverError E_CLUSTER, E_CLUSTER_AUTH */
  version(signal?: AbortSignal): Promise<string>;
  /** Undefined when it is not there. */
  get(ref: KubeRef, signal?: AbortSignal): Promise<KubeObject | undefined>;
  list(type: { apiVersion: string; kind: string }, options?: ListOptions, signal?: AbortSignal): Promise<readonly KubeObject[]>;
  /**
   * Server-side apply, strictly validated; returns the object as the server has it (or would).
   * @throws DeliverError E_APPLY, E_CONFLICT, E_CLUSTER, E_CLUSTER_AUTH
   */
  apply(object: KubeObject, options?: ApplyOptions): Promise<KubeObject>;
  /** No error when it is gone already. */
  delete(ref: KubeRef, options?: DeleteOptions): Promise<void>;
  /** Closes idle connections. */
  close(): Promise<void>;
}
