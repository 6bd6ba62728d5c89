import { canonicalJson, type Json } from '../core/canonical-json.ts';
import { fillVersions } from '../manifest/fill.ts';
import type { Release } from '../manifest/release-schema.ts';
import type { Lock } from './lock-schema.ts';

/** True when the release was changed since the lock was made from it. Asks no source: a tag that moved is not seen. */
export function isStale(lock: Lock, release: Release): boolean {
  return canonicalJson(lock.release as Json) !== canonicalJson(fillVersions(release) as Json);
}

/** What differs between two locks, one line for each thing: `image docker.io/library/busybox:1.36: sha256:… → sha256:…`. */
export function lockChanges(before: Lock, after: Lock): readonly string[] {
  const lines = changes(contentOf(before), contentOf(after));
  const releaseChanged = canonicalJson(before.release as Json) !== canonicalJson(after.release as Json);
  if (releaseChanged) return ['the release was changed since', ...lines];
  return lines.length === 0 && canonicalJson(before as Json) !== canonicalJson(after as Json) ? ['its details differ'] : lines;
}

function contentOf(lock: Lock): ReadonlyMap<string, string> {
  return new Map([
    ...lock.files.map((file) => [`file ${file.name}`, file.digest] as const),
    ...lock.charts.map((chart) => [`chart ${chart.name}`, chart.digest] as const),
    ...lock.images.map((image) => [`image ${image.reference}`, image.digest] as const),
  ]);
}

function changes(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return names.flatMap((name) => {
    const [was, is] = [before.get(name), after.get(name)];
    if (was === is) return [];
    if (was === undefined) return [`${name}: not in the lock`];
    return [is === undefined ? `${name}: no longer in the release` : `${name}: ${was} → ${is}`];
  });
}
