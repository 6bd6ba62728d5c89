import type { Secret } from '../core/secret.ts';
import type { SecretStore } from '../manifest/secrets.ts';

/** Content of an app's file: text, or bytes when it may not be UTF-8. */
export type FileContent = string | Uint8Array;

/** What a site says about its ingress. */
export interface IngressContext {
  readonly class?: string | undefined;
  readonly addresses: readonly string[];
  /** Wildcard domain that answers with the address in the name; `nip.io` when absent. */
  readonly domain?: string | undefined;
}

/** What rendering one app needs besides the app itself, which arrives with versions and site values filled in. */
export interface AppContext {
  /** Name of the release, for the label `deliver-release`. */
  readonly release: string;
  /** Name of the Secret that pods pull with; absent when the registry lets everyone pull. */
  readonly pullSecret?: string | undefined;
  readonly ingress: IngressContext;
  /** Content of the app's files by their path in the container. */
  readonly files: ReadonlyMap<string, FileContent>;
  /** Values of `${outputs.…}` by the name behind `outputs.`: `base-server.clusterIP`. */
  readonly outputs: ReadonlyMap<string, string>;
  /** Values of `${secret.…}` by name. */
  readonly secrets: SecretStore;
  /** Keys the checksum by which pods notice a changed secret; needed when an app has secrets. */
  readonly checksumKey?: Secret | undefined;
}
