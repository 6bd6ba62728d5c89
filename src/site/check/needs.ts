import type { Site } from '../../manifest/site-schema.ts';

export type Role = keyof NonNullable<Site['roles']>;

/** Room that an install wants below a folder. */
export interface DiskWish {
  readonly path: string;
  readonly bytes: number;
  /** `images, packed and unpacked` */
  readonly what: string;
  /** Without it the install fails; others only grow into it. */
  readonly firm: boolean;
}

export interface PortWish {
  readonly port: number;
  /** `API server` */
  readonly what: string;
  /** Programs that may hold it: those that deliver itself has set up before. */
  readonly by: readonly string[];
}

/** What a host is to be in a site that deliver builds. */
export interface HostDuty {
  readonly roles: readonly Role[];
  /** As the site file says it, `amd64`. */
  readonly arch?: string;
  /** Address that the other hosts reach it by; absent where it is a name. */
  readonly address?: string;
  readonly ports: readonly PortWish[];
  readonly disk: readonly DiskWish[];
  /** Registry that is installed there. */
  readonly registry?: 'harbor' | 'distribution';
}

/** What deliver is about to build, as far as hosts must be good for it (docs/decisions/0025). */
export interface BuildNeeds {
  readonly duties: ReadonlyMap<string, HostDuty>;
  /** `v1.34.4`; absent when no release is at hand. */
  readonly kubernetes?: string;
  /** Platforms that the release carries components for; absent when no release is at hand. */
  readonly platforms?: readonly string[];
  readonly pods: readonly string[];
  readonly services: readonly string[];
  readonly modules: readonly string[];
  /** Names that every host must know; deliver writes those with an address into /etc/hosts. */
  readonly names: readonly { readonly name: string; readonly address?: string; readonly written: boolean }[];
  /** Nodes that the site’s cluster has already. */
  readonly members: ReadonlySet<string>;
  /** For how long certificates must still be good, in days. */
  readonly certificateDays: number;
}

export const SYSCTLS = [
  { key: 'net.ipv4.ip_forward', value: 1 },
  { key: 'net.bridge.bridge-nf-call-iptables', value: 1 },
] as const;

/** True for hosts that run a kubelet. */
export function isNode({ roles }: Pick<HostDuty, 'roles'>): boolean {
  return roles.includes('control-plane') || roles.includes('worker');
}
