/** What the hosts must be good for. */
export interface PreflightNeeds {
  /** Names of the hosts that are nodes (`nodesOf`); the others are only asked for SSH, sudo and clock. */
  readonly nodes: readonly string[];
  /** Platforms of the lock. */
  readonly platforms: readonly string[];
  /** Bytes of the images that each node may have to pull and does not hold yet. */
  readonly imageBytes: number;
  /** `address` as nodes must see it: leave it out when it is the near end of a tunnel. */
  readonly registry?: { readonly host: string; readonly address?: string; readonly plainHttp?: boolean };
}
