import type { BuildNeeds } from './needs.ts';

/** What the hosts must be good for. */
export interface PreflightNeeds {
  /** Names of the hosts that are nodes (`nodesOf`); the others are only asked for SSH, sudo and clock. */
  readonly nodes: readonly string[];
  /** Container runtime that the site file names; containerd when absent. */
  readonly runtime?: string;
  /** Platforms of the lock. */
  readonly platforms: readonly string[];
  /** Bytes of the images that each node may have to pull and does not hold yet. */
  readonly imageBytes: number;
  /** `address` as nodes must see it: leave it out when it is the near end of a tunnel. */
  readonly registry?: { readonly host: string; readonly address?: string; readonly plainHttp?: boolean };
  /** Present when deliver builds on these hosts: then they are asked about much more, and less must be there already. */
  readonly build?: BuildNeeds;
}
