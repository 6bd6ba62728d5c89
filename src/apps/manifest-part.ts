import type { KubeObject } from '../cluster/port.ts';
import { fieldAt, listAt, textAt } from '../cluster/fields.ts';
import { refKey, refOf, refText } from '../cluster/refs.ts';
import { MANAGED_BY, RELEASE_LABEL } from '../cluster/system.ts';
import { DeliverError } from '../core/errors.ts';
import { manifestObjects, type ManifestObject } from '../lock/manifest-objects.ts';
import { fillManifest, type ManifestValues } from './manifest-variables.ts';

/** A file of `manifests:` as the bundle has it. */
export interface ManifestText {
  /** As messages name it: the path in the release. */
  readonly file: string;
  readonly text: string;
}

/** One entry of `manifests:` with its objects. */
export interface ManifestPart {
  /** Its `name:`, else its path. */
  readonly title: string;
  readonly objects: readonly KubeObject[];
}

/** What only the API server writes, and what an object that was exported from a cluster still has. */
const SERVER_OWNED = ['managedFields', 'resourceVersion', 'uid', 'creationTimestamp', 'generation', 'selfLink'];

/**
 * The objects of manifest files as they are applied: lists taken apart, variables filled in, labelled as the release’s.
 * @throws DeliverError E_YAML, E_SCHEMA, E_VARIABLE
 */
export function manifestPartObjects(files: readonly ManifestText[], values: ManifestValues, release: string): KubeObject[] {
  return files.flatMap(({ file, text }) =>
    manifestObjects(file, text)
      .flatMap((object) => items(object, values))
      .map(({ value, position }) => labelled(named(value, position), release)),
  );
}

/** True when the objects bring the pod network: without it no other pod than those of the host’s network comes up. */
export function isNetwork(objects: readonly KubeObject[]): boolean {
  return objects.some(({ spec }) =>
    listAt(spec, 'template', 'spec', 'volumes').some(
      (volume) => textAt(volume, 'hostPath', 'path')?.startsWith('/etc/cni/') === true,
    ),
  );
}

/** @throws DeliverError E_GRAPH when two entries have the same object: each install would write one over the other */
export function refuseTwice(parts: readonly ManifestPart[]): void {
  const seen = new Map<string, string>();
  for (const { title, objects } of parts) {
    for (const object of objects) {
      const key = refKey(refOf(object));
      const first = seen.get(key);
      // Several files may name the namespace that they share.
      if (first !== undefined && object.kind !== 'Namespace') {
        throw new DeliverError('E_GRAPH', {
          what: `${refText(refOf(object))} is in the manifests twice: in ${first} and in ${title}.`,
          fix: 'Leave it out of one of them, then resolve and pack the release again.',
          state: 'Nothing was changed.',
        });
      }
      seen.set(key, title);
    }
  }
}

interface Item {
  readonly value: Readonly<Record<string, unknown>>;
  readonly position: string;
}

/** `kind: List` stands for what it holds. */
function items(object: ManifestObject, values: ManifestValues): Item[] {
  const filled = fillManifest(object, values);
  const list = filled['items'];
  if (!object.kind.endsWith('List') || !Array.isArray(list)) return [{ value: filled, position: object.positionOf([]) }];
  return list.map((item: unknown, index) => ({
    value: item !== null && typeof item === 'object' ? (item as Readonly<Record<string, unknown>>) : {},
    position: object.positionOf(['items', index]),
  }));
}

function named(value: Readonly<Record<string, unknown>>, position: string): KubeObject {
  const { status: _status, apiVersion, kind, metadata, ...rest } = value;
  const name = textAt(metadata, 'name');
  if (typeof apiVersion === 'string' && typeof kind === 'string' && name !== undefined && name !== '') {
    const kept = Object.entries(metadata as object).filter(([key]) => !SERVER_OWNED.includes(key));
    return { ...rest, apiVersion, kind, metadata: { ...Object.fromEntries(kept), name } };
  }
  throw new DeliverError('E_SCHEMA', {
    what: 'A manifest holds an object that can’t be applied.',
    details: [`${position}  apiVersion, kind and metadata.name are needed (generateName would make another one at each install)`],
    fix: 'Correct the manifest, then resolve and pack the release again.',
    state: 'Nothing was changed.',
  });
}

/** A namespace may be shared by several releases, so it names none. */
function labelled(object: KubeObject, release: string): KubeObject {
  const own = fieldAt(object, 'metadata', 'labels') as Readonly<Record<string, string>> | undefined;
  const labels = { ...MANAGED_BY, ...own, ...(object.kind === 'Namespace' ? {} : { [RELEASE_LABEL]: release }) };
  return { ...object, metadata: { ...object.metadata, labels } };
}
