import type { Digest } from '../../core/digest.ts';
import { STATE_FOLDER } from './record.ts';
import type { HostState } from './state.ts';

/** How a blob of the bundle becomes programs on a host. */
export type Layout = { readonly kind: 'program'; readonly path: string } | ArchiveLayout;

export interface ArchiveLayout {
  readonly kind: 'archive';
  readonly into: string;
  /** The folder inside the archive that is taken, `*` for its only one. */
  readonly root?: string;
  /** These files of it. */
  readonly only?: readonly string[];
}

/** A file of the bundle. */
export interface ComponentBlob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** A component of the release that should be on a host. */
export interface WishedComponent {
  /** `containerd` */
  readonly name: string;
  /** As the release writes it. */
  readonly version: string;
  readonly blob: ComponentBlob;
  /** By platform, where the release carries it for several; the host's own is taken. */
  readonly blobs?: ReadonlyMap<string, ComponentBlob>;
  readonly layout: Layout;
  /** Another version that deliver placed stays: its owner replaces it in its own order (kubelet in an upgrade). */
  readonly unlessPlaced?: boolean;
  /** What is to be done when a package of the distribution has it; `beside` when absent. */
  readonly packaged?: PackagedRule;
}

export interface PackagedRule {
  /** The program that tells: `containerd`. */
  readonly program: string;
  /** Components that then aren't placed either. */
  readonly with?: readonly string[];
  /** Undefined when this one can be used as it is, else why not. */
  refuses(version: string, state: HostState): { readonly why: string; readonly fix: string } | undefined;
}

export interface WishedFile {
  readonly path: string;
  readonly content: string | ((state: HostState) => string);
  /** 0o644 when absent. */
  readonly mode?: number;
  /** With this package in use the file is its business. */
  readonly unlessPackaged?: string;
  /** Why a file that others wrote may not be replaced now, and what to do. */
  readonly guarded?: (state: HostState) => { readonly why: string; readonly fix: string } | undefined;
}

export interface WishedUnit {
  /** `containerd.service` */
  readonly name: string;
  readonly wanted: 'running' | 'enabled';
  /** Paths of files and names of components whose change asks for a restart. */
  readonly restartOn: readonly string[];
  /** A shell command that must succeed once it runs, for units that start without being able to work. */
  readonly check?: string;
  readonly unlessPackaged?: string;
}

export interface WishedSysctl {
  /** `net.ipv4.ip_forward` */
  readonly key: string;
  readonly value: number;
  /** A higher value is fine too. */
  readonly atLeast?: boolean;
  /** Only a note where it can't be set (containers). */
  readonly optional?: boolean;
}

/** Everything that should be true of one host. */
export interface HostWish {
  readonly host: string;
  /** Where the record lies and blobs wait. */
  readonly stateFolder: string;
  readonly components: readonly WishedComponent[];
  readonly files: readonly WishedFile[];
  readonly units: readonly WishedUnit[];
  readonly modules: readonly string[];
  readonly sysctls: readonly WishedSysctl[];
  readonly swapOff: boolean;
  /** Lines of deliver's block in /etc/hosts; no block when absent. */
  readonly hostsLines?: readonly string[];
}

/** Nothing wished for: what the wishes of a host begin with. */
export function emptyWish(host: string, stateFolder: string = STATE_FOLDER): HostWish {
  return { host, stateFolder, components: [], files: [], units: [], modules: [], sysctls: [], swapOff: false };
}

/** Several wishes for one host as one; later ones win where both name the same thing. */
export function joinWishes(first: HostWish, ...others: readonly Partial<HostWish>[]): HostWish {
  return others.reduce<HostWish>((all, more) => {
    const hostsLines = [...(all.hostsLines ?? []), ...(more.hostsLines ?? [])];
    return {
      host: all.host,
      stateFolder: all.stateFolder,
      components: lastOf([...all.components, ...(more.components ?? [])], ({ name }) => name),
      files: lastOf([...all.files, ...(more.files ?? [])], ({ path }) => path),
      units: lastOf([...all.units, ...(more.units ?? [])], ({ name }) => name),
      modules: [...new Set([...all.modules, ...(more.modules ?? [])])],
      sysctls: lastOf([...all.sysctls, ...(more.sysctls ?? [])], ({ key }) => key),
      swapOff: all.swapOff || more.swapOff === true,
      ...(hostsLines.length === 0 ? {} : { hostsLines: [...new Set(hostsLines)] }),
    };
  }, first);
}

function lastOf<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()];
}
