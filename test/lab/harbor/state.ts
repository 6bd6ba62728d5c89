export interface Project {
  id: number;
  name: string;
  ownerName: string;
  metadata: Record<string, string>;
  /** Set for a proxy-cache project, which refuses pushes. */
  registryId: number | null;
  creationTime: string;
  quotaId: number;
  /** Bytes; -1 is no limit. */
  hard: number;
  /** What counts against the quota: every blob and manifest once per project. */
  blobs: Record<string, number>;
}

export interface ArtifactReference {
  digest: string;
  platform?: { architecture?: string; os?: string; variant?: string };
  annotations?: Record<string, string>;
}

export interface Artifact {
  id: number;
  digest: string;
  type: string;
  /** Media type of the config (of the manifest itself for an index). */
  mediaType: string;
  manifestMediaType: string;
  artifactType: string;
  /** Manifest, config and layers together. */
  size: number;
  manifestSize: number;
  pushTime: string;
  annotations: Record<string, string>;
  references: ArtifactReference[];
  /** Config and layers, without the manifest itself. */
  blobs: string[];
  subject: string | null;
  /** Set when this manifest is an accessory of its subject. */
  accessoryType: string | null;
}

export interface Tag {
  id: number;
  name: string;
  digest: string;
  pushTime: string;
}

export interface Repository {
  id: number;
  projectId: number;
  /** With the project: `p1/charts/demo`. */
  name: string;
  creationTime: string;
  updateTime: string;
  pullCount: number;
  artifacts: Record<string, Artifact>;
  tags: Record<string, Tag>;
}

export interface Access {
  resource: string;
  action: string;
}

export interface RobotPermission {
  kind: string;
  namespace: string;
  access: Access[];
}

export interface Robot {
  id: number;
  /** 0 for a system robot. */
  projectId: number;
  level: 'system' | 'project';
  /** Without the prefix: `p1+pusher` or `sys1`. */
  shortName: string;
  description: string;
  duration: number;
  /** Seconds since the epoch; -1 is never. */
  expiresAt: number;
  disable: boolean;
  creationTime: string;
  updateTime: string;
  permissions: RobotPermission[];
  salt: string;
  secretHash: string;
}

export interface Selector {
  kind: string;
  decoration: string;
  pattern: string;
}

export interface ImmutableRule {
  id: number;
  projectId: number;
  disabled: boolean;
  action: string;
  template: string;
  tagSelectors: Selector[];
  repositorySelectors: Selector[];
}

/** A registry endpoint that replication goes to or comes from. */
export interface Endpoint {
  id: number;
  name: string;
  type: string;
  url: string;
  insecure: boolean;
  description: string;
  accessKey: string;
  accessSecret: string;
  creationTime: string;
}

/** As asked for; the endpoints by id. */
export interface StoredPolicy {
  id: number;
  name: string;
  creationTime: string;
  body: Record<string, unknown>;
}

export interface Execution {
  id: number;
  kind: 'replication' | 'preheat';
  policyId: number;
  trigger: string;
  startTime: string;
}

export interface PreheatInstance {
  id: number;
  name: string;
  vendor: string;
  endpoint: string;
  authMode: string;
  authInfo: Record<string, string>;
  enabled: boolean;
  insecure: boolean;
}

export interface PreheatPolicy {
  id: number;
  projectId: number;
  name: string;
  description: string;
  providerId: number;
  filters: string;
  trigger: string;
  enabled: boolean;
  creationTime: string;
}

export interface Settings {
  readOnly: boolean;
  robotNamePrefix: string;
  projectCreationRestriction: 'everyone' | 'adminonly';
  tokenExpirationMinutes: number;
  storagePerProject: number;
}

export interface StateData {
  version: 1;
  lastIds: Record<string, number>;
  settings: Settings;
  projects: Project[];
  robots: Robot[];
  rules: ImmutableRule[];
  endpoints: Endpoint[];
  replications: StoredPolicy[];
  executions: Execution[];
  instances: PreheatInstance[];
  preheats: PreheatPolicy[];
  repositories: Record<string, Repository>;
  /** Repository → blob digest → size. Held apart from `repositories`: a repository exists in Harbor only from its first manifest on. */
  repositoryBlobs: Record<string, Record<string, number>>;
}

export function freshState(now: string, tokenExpirationMinutes: number): StateData {
  return {
    version: 1,
    lastIds: { project: 1, quota: 1 },
    settings: {
      readOnly: false,
      robotNamePrefix: 'robot$',
      projectCreationRestriction: 'everyone',
      tokenExpirationMinutes,
      storagePerProject: -1,
    },
    projects: [
      {
        id: 1,
        name: 'library',
        ownerName: 'admin',
        metadata: { public: 'true' },
        registryId: null,
        creationTime: now,
        quotaId: 1,
        hard: -1,
        blobs: {},
      },
    ],
    robots: [],
    rules: [],
    endpoints: [],
    replications: [],
    executions: [],
    instances: [],
    preheats: [],
    repositories: {},
    repositoryBlobs: {},
  };
}

export function nextId(state: StateData, kind: string): number {
  const id = (state.lastIds[kind] ?? 0) + 1;
  state.lastIds[kind] = id;
  return id;
}

export const projectNamed = (state: StateData, name: string): Project | undefined =>
  state.projects.find((project) => project.name === name);

export const projectWithId = (state: StateData, id: number): Project | undefined =>
  state.projects.find((project) => project.id === id);

export const repositoriesOf = (state: StateData, project: Project): Repository[] =>
  Object.values(state.repositories)
    .filter((repository) => repository.projectId === project.id)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
