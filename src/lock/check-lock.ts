import { digestOf, type Digest } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import { isIndexType } from '../core/oci.ts';
import { pathText, type JsonPath } from '../manifest/problem.ts';
import { schemaProblems } from '../manifest/schema-problems.ts';
import { LockSchema, type Lock, type LockedBlob } from './lock-schema.ts';

interface LockProblem {
  readonly path: JsonPath;
  readonly message: string;
}

/** Everything that is wrong with what claims to be a lock: its shape, and what contradicts itself. */
export function lockProblems(value: unknown): readonly LockProblem[] {
  const problems = schemaProblems(LockSchema, value);
  return problems.length > 0 ? problems : contradictions(LockSchema.parse(value));
}

/**
 * A value as a lock, its keys in the fixed order.
 * @throws DeliverError E_SCHEMA with every problem
 */
export function checkedLock(value: unknown): Lock {
  const problems = lockProblems(value);
  if (problems.length === 0) return LockSchema.parse(value);
  throw new DeliverError('E_SCHEMA', {
    what: 'The lock is not a lock as deliver writes it.',
    details: problems.map(({ path, message }) => `${pathText(path)}: ${message}`),
    fix: 'Make it again with deliver resolve.',
  });
}

function contradictions(lock: Lock): LockProblem[] {
  const { name, version } = lock.release.metadata;
  const same =
    lock.metadata.name === name && lock.metadata.version === version && lock.platforms.join() === lock.release.platforms.join();
  return [
    ...(same ? [] : [{ path: ['metadata'], message: 'name, version or platforms are not those of the release in it' }]),
    ...twice(
      lock.images.map(({ reference }) => reference),
      'images',
    ),
    ...twice(
      lock.charts.map(({ name: chart }) => chart),
      'charts',
    ),
    ...twice(
      lock.files.map(({ name: file }) => file),
      'files',
    ),
    ...lock.images.flatMap((image, index) =>
      isIndexType(image.mediaType) === (image.manifests !== undefined)
        ? []
        : [{ path: ['images', index, 'manifests'], message: 'belongs to an index, and an index has to have it' }],
    ),
    ...blobProblems(lock),
  ];
}

function blobProblems(lock: Lock): LockProblem[] {
  const sizes = new Map<Digest, number>();
  return blobsOf(lock).flatMap(({ path, blob }): LockProblem[] => {
    const known = sizes.get(blob.digest) ?? blob.size;
    sizes.set(blob.digest, known);
    if (known !== blob.size)
      return [{ path: [...path, 'size'], message: `${blob.digest} has ${known} bytes elsewhere in this lock` }];
    if (!('data' in blob) || blob.data === undefined) return [];
    const bytes = Buffer.from(blob.data, 'base64');
    const whole = bytes.byteLength === blob.size && digestOf(bytes) === blob.digest;
    return whole ? [] : [{ path: [...path, 'data'], message: `is not the content of ${blob.digest}` }];
  });
}

function blobsOf(lock: Lock): { path: JsonPath; blob: Pick<LockedBlob, 'digest' | 'size' | 'data'> }[] {
  const below = (path: JsonPath, blobs: readonly LockedBlob[]): { path: JsonPath; blob: LockedBlob }[] =>
    blobs.map((blob, index) => ({ path: [...path, index], blob }));
  return [
    ...lock.files.map((file, index) => ({ path: ['files', index], blob: { digest: file.digest, size: file.size } })),
    ...lock.charts.flatMap((chart, index) => [
      { path: ['charts', index], blob: chart },
      ...below(['charts', index, 'blobs'], chart.blobs),
    ]),
    ...lock.images.flatMap((image, index) => [
      { path: ['images', index], blob: image },
      ...below(['images', index, 'manifests'], image.manifests ?? []),
      ...below(['images', index, 'blobs'], image.blobs),
      ...(image.referrers ?? []).flatMap((referrer, at) => [
        { path: ['images', index, 'referrers', at], blob: { digest: referrer.digest, size: referrer.size } },
        ...below(['images', index, 'referrers', at, 'blobs'], referrer.blobs),
      ]),
    ]),
  ];
}

function twice(names: readonly string[], list: string): LockProblem[] {
  return names.flatMap((name, index) =>
    names.indexOf(name) < index ? [{ path: [list, index], message: `${name} is here twice` }] : [],
  );
}
