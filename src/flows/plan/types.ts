import type { ObjectPlan } from '../../cluster/apply.ts';
import type { FieldChange } from '../../cluster/diff.ts';
import type { Check } from '../../site/check/check.ts';
import type { FoundationPlan } from './foundation-plan.ts';
import type { HostTodo } from '../host-todo.ts';
import type { KubernetesPlan, KubernetesPlanItem } from './kubernetes-plan.ts';
import type { PushAccount } from '../install/push-account.ts';
import type { PolicyRun } from '../../registry/port.ts';
import type { HostItem, ItemKind } from '../../site/host/item.ts';

export type { Check, FieldChange, FoundationPlan, HostItem, HostTodo, ItemKind, KubernetesPlan, KubernetesPlanItem, ObjectPlan };

export interface RegistryPlan {
  /** Empty on a site without one: then `images` of the plan says what the nodes get. */
  readonly host: string;
  /** `to-be-made`: the same install makes it first, so what it lacks is everything. */
  readonly state: 'there' | 'to-be-made';
  readonly images: number;
  readonly imagesToPush: number;
  readonly bytesToPush: number;
  readonly projectsToMake: readonly string[];
  /** Of a Harbor: by whom, when there is something to push. */
  readonly pushAs?: PushAccount;
  /** Of a Harbor: what is set up there as the site file says, in words: `project media`, `replication to-plant-8`; absent for nothing. */
  readonly setUp?: readonly string[];
}

/** Something that the release applies to the cluster, in the order of the install. */
export interface PlannedPart {
  readonly kind: 'addon' | 'external' | 'app';
  /** `ingress`, `project/gatekeeper` */
  readonly name: string;
  /** Known of add-ons before there is a cluster. */
  readonly objects?: number;
}

export interface NodePlan {
  readonly host: string;
  /** Files that would be written. */
  readonly files: readonly string[];
  /** How its runtime is made to read them, in words: `restart k3s`. `due`: it lacks files that a run which was cut off wrote. */
  readonly reload?: { readonly does: string; readonly due: boolean };
}

/** Of a site without a registry: what its nodes are brought. */
export interface ImagesPlan {
  readonly nodes: readonly {
    readonly node: string;
    /** References, each pulled out of the bundle. */
    readonly pull: readonly string[];
    readonly bytes: number;
    /** They are there, and are pinned for this release. */
    readonly keep: readonly string[];
    /** They are of the version before, and need not stay. */
    readonly letGo: readonly string[];
  }[];
  readonly changes: number;
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
  readonly images?: ImagesPlan;
  /** Below the cluster’s API, where deliver makes or keeps it; no lines elsewhere. */
  readonly build: FoundationPlan;
  readonly nodes: readonly NodePlan[];
  /** Hosts that deliver keeps and that an install leaves as they are. */
  readonly settled: readonly string[];
  /** Whether there is a cluster to compare with; `objects` is empty while there is none. */
  readonly cluster: 'there' | 'to-be-made';
  readonly parts: readonly PlannedPart[];
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
    /** Empty on a site without one. */
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
