import { z } from 'zod';
import { DeliverError } from '../core/errors.ts';
import type { ClusterApi, KubeObject, KubeRef } from './port.ts';
import { refKey } from './refs.ts';
import { MANAGED_BY, SYSTEM_NAMESPACE } from './system.ts';

const RECORD_LABEL = 'deliver-record';
const HISTORY_LENGTH = 10;

const RefSchema = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  name: z.string(),
  namespace: z.string().optional(),
  part: z.string().exactOptional(),
});
const PastSchema = z.object({ version: z.string(), root: z.string(), installedAt: z.string() });
const TrustSchema = z.object({ signers: z.array(z.string()), accepted: z.string().exactOptional() });
const DataSchema = z.object({
  name: z.string(),
  version: z.string(),
  root: z.string(),
  site: z.string(),
  status: z.enum(['installing', 'installed']),
  installedAt: z.string(),
  inventory: z.string(),
  urls: z.string(),
  history: z.string(),
  trust: z.string().exactOptional(),
});

/** Why a bundle was believed. */
export interface RecordedTrust {
  /** `release@corp (SHA256:…)` */
  readonly signers: readonly string[];
  /** What was accepted with --allow-unsigned. */
  readonly accepted?: string;
}

/** An object of a release. */
export interface RecordedRef extends KubeRef {
  /** Title of the manifests that brought it; absent for what apps and externals are made of. */
  readonly part?: string;
}

/** What the cluster remembers of a release. */
export interface ReleaseRecord {
  readonly name: string;
  readonly version: string;
  /** Digest of the release manifest. */
  readonly root: string;
  /** Name of the site. */
  readonly site: string;
  readonly status: 'installing' | 'installed';
  /** ISO 8601; when this status began. */
  readonly installedAt: string;
  /** Every object that is the release's; while installing, those of the version before as well. */
  readonly inventory: readonly RecordedRef[];
  readonly urls: readonly string[];
  /** Versions that were installed, the newest last. */
  readonly history: readonly { readonly version: string; readonly root: string; readonly installedAt: string }[];
  /** Absent in records of versions before 0.2. */
  readonly trust?: RecordedTrust;
}

/** @throws DeliverError E_CLUSTER when it is there and can't be understood */
export async function readRecord(api: ClusterApi, name: string, signal?: AbortSignal): Promise<ReleaseRecord | undefined> {
  const object = await api.get(refOfRecord(name), signal);
  if (object === undefined) return undefined;
  const record = parseRecord(object);
  if (record.name === name) return record;
  throw new DeliverError('E_CONFLICT', {
    what: `Release ${name} can’t be told from release ${record.name}, which is installed on this cluster.`,
    why: 'Names of Kubernetes objects know no “_”, so their records would be one.',
    fix: 'Give the release another name.',
    state: 'The record was not changed.',
  });
}

/** The records of all releases in the cluster, by name. */
export async function listRecords(api: ClusterApi, signal?: AbortSignal): Promise<ReleaseRecord[]> {
  const options = { namespace: SYSTEM_NAMESPACE, labelSelector: RECORD_LABEL };
  const objects = await api.list({ apiVersion: 'v1', kind: 'ConfigMap' }, options, signal);
  return objects.map(parseRecord).sort((a, b) => (a.name < b.name ? -1 : 1));
}

export type RecordFacts = Pick<ReleaseRecord, 'name' | 'version' | 'root' | 'site' | 'inventory' | 'urls' | 'trust'>;

/**
 * Notes, before the first object is applied, that this version is being installed; its inventory holds the objects of the
 * version before as well, so that none is forgotten when the install is interrupted.
 * @returns true when it wrote; false when the cluster already says so, or that the very same is installed
 */
export async function beginRecord(api: ClusterApi, facts: RecordFacts, now: Date, signal?: AbortSignal): Promise<boolean> {
  const before = await readRecord(api, facts.name, signal);
  if (before !== undefined && sameInstall(before, facts, before.inventory.length)) return false;
  const inventory = union(before?.inventory ?? [], facts.inventory);
  return await write(api, before, { ...facts, inventory, status: 'installing', history: before?.history ?? [] }, now, signal);
}

/** Notes that the version is installed. @returns true when it wrote, false when the cluster already said so */
export async function finishRecord(api: ClusterApi, facts: RecordFacts, now: Date, signal?: AbortSignal): Promise<boolean> {
  const before = await readRecord(api, facts.name, signal);
  const past = before?.history ?? [];
  const inventory = union([], facts.inventory);
  const entry = { version: facts.version, root: facts.root, installedAt: now.toISOString() };
  const history = past.at(-1)?.root === facts.root ? past : [...past, entry].slice(-HISTORY_LENGTH);
  return await write(api, before, { ...facts, inventory, status: 'installed', history }, now, signal);
}

function sameInstall(before: ReleaseRecord, facts: RecordFacts, size: number): boolean {
  const same = before.version === facts.version && before.root === facts.root && before.site === facts.site;
  // Whether installed or interrupted: all objects that this install may touch are noted.
  return same && union(before.inventory, facts.inventory).length === size;
}

async function write(
  api: ClusterApi,
  before: ReleaseRecord | undefined,
  next: Omit<ReleaseRecord, 'installedAt'>,
  now: Date,
  signal?: AbortSignal,
): Promise<boolean> {
  const installedAt = before?.installedAt ?? now.toISOString();
  const record = { ...next, installedAt };
  if (before !== undefined && JSON.stringify(dataOf(before)) === JSON.stringify(dataOf(record))) return false;
  const options = signal === undefined ? {} : { signal };
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: SYSTEM_NAMESPACE, labels: MANAGED_BY } };
  const { kind, apiVersion } = namespace;
  if ((await api.get({ apiVersion, kind, name: SYSTEM_NAMESPACE }, signal)) === undefined) await api.apply(namespace, options);
  await api.apply(
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...nameOf(next.name), labels: { ...MANAGED_BY, [RECORD_LABEL]: 'release' } },
      data: dataOf({ ...record, installedAt: now.toISOString() }),
    },
    options,
  );
  return true;
}

function dataOf(record: ReleaseRecord): Record<string, string> {
  const { name, version, root, site, status, installedAt, inventory, urls, history, trust } = record;
  const lists = { inventory: JSON.stringify(inventory), urls: JSON.stringify(urls), history: JSON.stringify(history) };
  const believed: Record<string, string> = trust === undefined ? {} : { trust: JSON.stringify(trust) };
  return { name, version, root, site, status, installedAt, ...lists, ...believed };
}

function parseRecord(object: KubeObject): ReleaseRecord {
  try {
    const { trust, ...data } = DataSchema.parse(object.data);
    return {
      ...data,
      ...(trust === undefined ? {} : { trust: TrustSchema.parse(JSON.parse(trust)) }),
      inventory: z.array(RefSchema).parse(JSON.parse(data.inventory)),
      urls: z.array(z.string()).parse(JSON.parse(data.urls)),
      history: z.array(PastSchema).parse(JSON.parse(data.history)),
    };
  } catch (error) {
    throw new DeliverError('E_CLUSTER', {
      what: `The release record ${SYSTEM_NAMESPACE}/${object.metadata.name} can’t be understood.`,
      why: 'It was changed by hand, or written by a newer version of deliver.',
      fix: `Use that version; or delete it (kubectl delete configmap -n ${SYSTEM_NAMESPACE} ${object.metadata.name}) and install again.`,
      cause: error,
    });
  }
}

function union(before: readonly RecordedRef[], after: readonly RecordedRef[]): RecordedRef[] {
  const all = new Map([...before, ...after].map((ref) => [refKey(ref), ref]));
  return [...all]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { apiVersion, kind, name, namespace, part }]) => ({
      apiVersion,
      kind,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(part === undefined ? {} : { part }),
    }));
}

/** A release name may hold an underscore, an object's name may not. */
function nameOf(release: string): { name: string; namespace: string } {
  return { name: `release-${release.replaceAll('_', '-')}`, namespace: SYSTEM_NAMESPACE };
}

function refOfRecord(release: string): KubeRef {
  return { apiVersion: 'v1', kind: 'ConfigMap', ...nameOf(release) };
}
