import type { Digest } from '../core/digest.ts';
import type { FilePlace, FileTransfer } from '../core/file-transfer.ts';
import type { Descriptor } from '../core/oci.ts';
import type { Reference } from '../core/reference.ts';

/** A manifest with the very bytes that the registry served. */
export interface FetchedManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/**
 * Opens the content of a blob from its first byte; called again for every new attempt.
 * @param memory `reused`: a chunk need only be good until the next but one is asked for
 */
export type OpenBytes = (memory: 'reused' | 'fresh') => AsyncIterable<Uint8Array>;

/** A signature, bill of materials or other thing about a manifest. */
export interface FoundReferrer {
  readonly digest: Digest;
  /** Where it is found by its tag: `sha256-….sig`. Absent when it names its subject. */
  readonly tag?: string;
}

/** Reading from an OCI or Docker v2 registry. Repositories are paths below the host. */
export interface RegistryReader {
  /** By tag or digest; bytes are hashed, and checked when asked by digest. @throws DeliverError E_SOURCE* */
  manifest(repository: string, tagOrDigest: string, signal?: AbortSignal): Promise<FetchedManifest>;
  /** Content of a blob, not yet verified: pass it through `verified`. A chunk is good until the next one is asked for. */
  blob(repository: string, digest: Digest, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** The same straight into an open file, on another thread; undefined where that can't be: take `blob` then. */
  transfer?(
    repository: string,
    blob: { digest: Digest; size: number },
    place: FilePlace,
    signal: AbortSignal,
  ): Promise<FileTransfer | undefined>;
  /** What refers to this manifest: by its subject (referrers API, else referrers tag), or by cosign's tags. @throws DeliverError E_SOURCE* */
  referrers(repository: string, digest: Digest, signal?: AbortSignal): Promise<readonly FoundReferrer[]>;
}

/** Where the connected side gets an image or chart: mirrors and credentials applied. */
export interface ImageSource {
  /** The reader for a reference, and the repository path to ask it for (a mirror may put a path in front). */
  locate(reference: Reference): { readonly reader: RegistryReader; readonly repository: string };
}

export interface PutBlobOptions {
  readonly signal?: AbortSignal;
  /** Called with the number of bytes handed to the connection since the last call; negative when an attempt starts again. */
  readonly onBytes?: (bytes: number) => void;
}

/** Writing to one registry. Every call is safe to repeat. */
export interface RegistryWriter {
  /** What the tag or digest points to now, undefined when absent. */
  headManifest(repository: string, tagOrDigest: string, signal?: AbortSignal): Promise<Digest | undefined>;
  hasBlob(repository: string, digest: Digest, signal?: AbortSignal): Promise<boolean>;
  /** Takes the blob from another repository of the same registry; false when the registry would not. */
  mountBlob(repository: string, digest: Digest, from: string, signal?: AbortSignal): Promise<boolean>;
  putBlob(repository: string, blob: { digest: Digest; size: number }, open: OpenBytes, options?: PutBlobOptions): Promise<void>;
  putManifest(repository: string, tagOrDigest: string, mediaType: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void>;
  /**
   * Makes these be found as referrers of the subject: where the registry has no referrers API, the referrers tag is kept.
   * True when something was written.
   */
  linkReferrers(repository: string, subject: Digest, referrers: readonly Descriptor[], signal?: AbortSignal): Promise<boolean>;
}

/** The registry of a site, opened with the site's account. */
export interface SiteRegistryConnection {
  readonly writer: RegistryWriter;
  /** Absent when it is not a Harbor. */
  readonly harbor?: HarborApi;
  /** Harbor's version. */
  readonly version?: string;
  /** True when this account may read that repository; asked of the registry now. */
  accepts(account: RegistryAccount, repository: string, signal?: AbortSignal): Promise<boolean>;
  /** The same registry, written to as this account over connections of its own. */
  openAs(account: RegistryAccount): PushWriter;
  close(): Promise<void>;
}

/** Writes as another account than the one that looks. */
export interface PushWriter {
  readonly writer: RegistryWriter;
  /** Ends its connections, and an account that was made for it. */
  close(): Promise<void>;
}

/** Name and secret of a registry account. */
export interface RegistryAccount {
  readonly username: string;
  readonly password: string;
}

/** The part of Harbor's API v2.0 that deliver uses. */
export interface HarborApi {
  /** Version text when the host is a Harbor and the account may read it; undefined when it is some other registry. */
  version(): Promise<string | undefined>;
  hasProject(name: string): Promise<boolean>;
  /** True when this call made it, false when it was there. */
  ensureProject(name: string): Promise<boolean>;
  readonly robots: HarborRobots;
  /** Free bytes below the project's quota; undefined when unlimited or unknown. */
  quotaLeft(project: string): Promise<number | undefined>;
  /** Components that are not healthy, by name; empty when all is well. */
  unhealthy(): Promise<readonly string[]>;
  /** What a site asks for beside its content. */
  readonly setup: HarborSetup;
  /** The same without changing anything: true for what `setup` would change. */
  readonly look: HarborSetup;
}

/** Robot accounts of the whole Harbor. Their secrets are shown once, and live only in memory here. */
export interface HarborRobots {
  /** Whether this account may make any. */
  mayMake(): Promise<boolean>;
  /** One that may only pull from these projects, with a new secret; an existing one of that name is replaced. */
  renewPull(name: string, projects: readonly string[]): Promise<RegistryAccount>;
  /** Lets an existing one pull from these projects too; its secret stays. False when there is none of that name. */
  widenPull(name: string, projects: readonly string[]): Promise<boolean>;
  /** One that may push to and pull from these projects, for a day. */
  renewPush(name: string, projects: readonly string[]): Promise<RegistryAccount>;
  remove(name: string): Promise<void>;
}

/** Things in a Harbor that are kept as a site file says. Each call is safe to repeat; true when it changed something. */
export interface HarborSetup {
  /** @param quota bytes, -1 without end; a project that exists keeps what is not given */
  project(name: string, wanted: { readonly quota?: number; readonly public?: boolean }): Promise<boolean>;
  /** Whether Harbor refuses to move a released tag of the project; tags of signatures may always move. */
  immutableTags(project: string, wanted: boolean): Promise<boolean>;
  replication(wanted: ReplicationPolicy): Promise<boolean>;
  preheat(wanted: PreheatPolicy): Promise<boolean>;
  /** The last run of each of these policies. */
  lastRuns(policies: readonly WatchedPolicy[]): Promise<readonly PolicyRun[]>;
}

/** `cron` has six fields, seconds first, in UTC. */
export type PolicyTrigger = 'manual' | 'event' | { readonly cron: string };

/** Doublestar patterns of what a policy is about; everything when absent. */
export interface PolicyScope {
  readonly repositories?: string;
  readonly tags?: string;
  readonly trigger: PolicyTrigger;
}

export interface ReplicationPolicy extends PolicyScope {
  readonly name: string;
  readonly direction: 'push' | 'pull';
  readonly remote: { readonly url: string; readonly account?: RegistryAccount; readonly insecure: boolean };
  readonly override: boolean;
  /** KiB per second; 0 is no limit. */
  readonly speed: number;
}

export interface PreheatPolicy extends PolicyScope {
  readonly name: string;
  readonly project: string;
  readonly provider: {
    readonly name: string;
    readonly vendor: 'dragonfly' | 'kraken';
    readonly endpoint: string;
    readonly account?: RegistryAccount;
    readonly insecure: boolean;
  };
}

export type WatchedPolicy =
  | { readonly kind: 'replication'; readonly name: string }
  | { readonly kind: 'preheat'; readonly name: string; readonly project: string };

export interface PolicyRun {
  readonly policy: WatchedPolicy;
  /** `missing`: there is no such policy; `never`: it has not run yet. */
  readonly state: 'missing' | 'never' | 'running' | 'done' | 'failed';
  /** As Harbor says it. */
  readonly status?: string;
  readonly started?: string;
  /** `12 of 12 done`. */
  readonly figures?: { readonly total: number; readonly done: number; readonly failed: number };
}
