import type { ObjectPlan } from '../cluster/apply.ts';
import type { FieldChange } from '../cluster/diff.ts';
import type { Check } from '../site/check.ts';
import type { FoundationPlan } from './foundation.ts';
import type { PolicyRun } from '../registry/port.ts';

export type { Check, FieldChange, ObjectPlan };

export interface RegistryPlan {
  readonly host: string;
  readonly images: number;
  readonly imagesToPush: number;
  readonly bytesToPush: number;
  readonly projectsToMake: readonly string[];
}

export interface NodePlan {
  readonly host: string;
  /** Files that would be written. */
  readonly files: readonly string[];
}

/** What an install would do; read-only. */
export interface PlanResult {
  readonly release: string;
  readonly version: string;
  /** Version that is installed now. */
  readonly from?: string;
  readonly site: string;
  readonly hosts: number;
  readonly kubernetes: string;
  readonly checks: readonly Check[];
  readonly registry: RegistryPlan;
  /** Below the cluster’s API, where deliver makes or keeps it; no lines elsewhere. */
  readonly build: FoundationPlan;
  readonly nodes: readonly NodePlan[];
  readonly objects: readonly ObjectPlan[];
  /** Objects of the version before that this one lacks; they stay. */
  readonly leftOver: readonly string[];
  readonly urls: readonly string[];
  /** True when an install would change nothing. */
  readonly unchanged: boolean;
}

export interface InstallResult {
  readonly release: string;
  readonly version: string;
  readonly site: string;
  /** Things changed: files on nodes, blobs, tags, objects. */
  readonly changed: number;
  readonly urls: readonly string[];
  /** Lines for the hosts file of a laptop without that name server. */
  readonly hostsFile: readonly string[];
}

export interface AppStatus {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly state: 'current' | 'in-progress' | 'failed' | 'terminating' | 'missing';
  readonly message: string;
}

export interface NodeStatus {
  readonly name: string;
  readonly ready: boolean;
  /** Version of its kubelet. */
  readonly version: string;
  /** Why it is not ready, or that it takes no new pods; empty else. */
  readonly message: string;
  /** Days until the first certificate of a control plane ends; absent where that is not known. */
  readonly certificateDays?: number;
}

export interface StatusResult {
  readonly site: string;
  readonly hosts: readonly {
    readonly name: string;
    readonly address: string;
    readonly reachable: boolean;
    readonly message: string;
  }[];
  readonly registry: {
    readonly host: string;
    readonly version?: string;
    readonly healthy: boolean;
    readonly message: string;
    /** Last runs of the replication and preheat policies that the site file names. */
    readonly runs?: readonly PolicyRun[];
    /** Days that the certificate of a registry that deliver installed is still good for. */
    readonly certificateDays?: number;
  };
  /** Empty when it could not be asked. */
  readonly kubernetes: string;
  /** Why the cluster could not be looked at; releases and apps are not known then. */
  readonly clusterProblem?: string;
  readonly releases: readonly {
    readonly name: string;
    readonly version: string;
    readonly installedAt: string;
    readonly state: string;
  }[];
  readonly nodes: readonly NodeStatus[];
  /** Workloads that manifests brought. */
  readonly addons: readonly AppStatus[];
  readonly apps: readonly AppStatus[];
  /** Who installs on this site now. */
  readonly lockedBy?: string;
  /** What is installed and not well, a line each; an exit code says so too. */
  readonly down: readonly string[];
  readonly urls: readonly string[];
  readonly hostsFile: readonly string[];
}
