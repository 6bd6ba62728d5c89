import { DeliverError, isDeliverError } from '../core/errors.ts';
import { canonicalReference, parseReference } from '../core/reference.ts';
import type { JsonPath } from '../manifest/problem.ts';
import { manifestObjects, type ManifestObject } from './manifest-objects.ts';
import type { ImagePlace } from './needed-images.ts';

const CONTAINER_LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const;
/** Text in a ConfigMap that a controller makes objects of: the helper pod of local-path-provisioner. */
const EMBEDDED = /\.(?:ya?ml|json)$/;

interface Found {
  readonly image: string;
  readonly path: JsonPath;
}

/**
 * The images that pods of a manifest file run: containers of every kind and image volumes, in whatever kind a pod template
 * stands, objects in a List and in ConfigMaps included. What an operator makes of its own resources can’t be seen.
 * @param file how the file is named in messages
 * @param place what is said before each image’s own place: `manifests[0], flannel.yaml`
 * @throws DeliverError E_YAML, E_SCHEMA, E_NOT_YET for a kustomization, E_REFERENCE with `file:line:col`
 */
export function manifestImages(file: string, place: string, text: string): readonly ImagePlace[] {
  const wrong: string[] = [];
  const images = manifestObjects(file, text).flatMap((object) => {
    refuseKustomization(object);
    return imagesOf(object.value).flatMap(({ image, path }): ImagePlace[] => {
      const reference = canonical(image);
      if (reference === undefined) wrong.push(`${object.positionOf(path)}  “${image}” is not an image reference`);
      return reference === undefined ? [] : [{ image: reference, place: `${place}, ${object.kind} ${object.name}` }];
    });
  });
  if (wrong.length === 0) return images;
  throw new DeliverError('E_REFERENCE', {
    what: `${file} names what is not an image.`,
    details: wrong,
    fix: 'An image must be known when packing: write it out in the manifest.',
    state: 'Nothing was written.',
  });
}

function imagesOf(object: Readonly<Record<string, unknown>>): Found[] {
  // Its schema speaks of containers and has none.
  if (object['kind'] === 'CustomResourceDefinition') return [];
  return [...inPodSpecs(object, []), ...inConfigMap(object)];
}

/** Looks for pod specs by their form, so that kinds that nobody knows yet are seen as well. */
function inPodSpecs(value: unknown, path: JsonPath): Found[] {
  if (Array.isArray(value)) return value.flatMap((item: unknown, index) => inPodSpecs(item, [...path, index]));
  if (value === null || typeof value !== 'object') return [];
  const map = value as Readonly<Record<string, unknown>>;
  const containers = CONTAINER_LISTS.flatMap((list) => imagesInList(map[list], [...path, list], ['image']));
  const volumes = containers.length === 0 ? [] : imagesInList(map['volumes'], [...path, 'volumes'], ['image', 'reference']);
  const below = Object.entries(map).flatMap(([key, item]) => inPodSpecs(item, [...path, key]));
  return [...containers, ...volumes, ...below];
}

function imagesInList(list: unknown, path: JsonPath, keys: readonly string[]): Found[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown, index): Found[] => {
    const image = keys.reduce<unknown>(
      (at, key) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined),
      item,
    );
    if (image === undefined || image === null) return [];
    return [{ image: typeof image === 'string' ? image : JSON.stringify(image), path: [...path, index, ...keys] }];
  });
}

function inConfigMap({ kind, data }: Readonly<Record<string, unknown>>): Found[] {
  if (kind !== 'ConfigMap' || typeof data !== 'object' || data === null) return [];
  return Object.entries(data).flatMap(([key, text]: [string, unknown]) => {
    if (!EMBEDDED.test(key) || typeof text !== 'string') return [];
    return embedded(text).flatMap(({ value }) => imagesOf(value).map(({ image }) => ({ image, path: ['data', key] })));
  });
}

/** Most text in a ConfigMap is no object, which is no fault of it. */
function embedded(text: string): readonly ManifestObject[] {
  try {
    return manifestObjects('', text);
  } catch (error) {
    if (isDeliverError(error)) return [];
    throw error;
  }
}

function canonical(image: string): string | undefined {
  try {
    return canonicalReference(parseReference(image));
  } catch (error) {
    if (isDeliverError(error, 'E_REFERENCE')) return undefined;
    throw error;
  }
}

function refuseKustomization({ value, positionOf }: ManifestObject): void {
  const { apiVersion } = value;
  if (typeof apiVersion !== 'string' || !apiVersion.startsWith('kustomize.config.k8s.io/')) return;
  throw new DeliverError('E_NOT_YET', {
    what: 'A kustomization can’t be built yet.',
    details: [`${positionOf(['kind'])}  apiVersion: ${apiVersion}`],
    fix: 'Write what it builds into a file: kubectl kustomize FOLDER > manifests.yaml, and name that file.',
    state: 'Nothing was written.',
  });
}
