import type { Harbor } from './context.ts';
import { fail } from './errors.ts';
import type { Project } from './state.ts';

export const usedBytes = (project: Project): number => Object.values(project.blobs).reduce((sum, size) => sum + size, 0);

/** Go's byte counts as Harbor prints them: `0 B`, `1000 B`, `2.9 MiB`. */
export function humanBytes(bytes: number): string {
  if (bytes < 1024) return `${String(bytes)} B`;
  const exponent = Math.min(6, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** exponent).toFixed(1)} ${'KMGTPE'[exponent - 1] ?? ''}iB`;
}

/** Refuses with Harbor's words when `adding` more bytes would pass the limit; 0 asks whether it is passed already. */
function checkQuota(project: Project, used: number, adding: number): void {
  if (project.hard < 0 || used + adding <= project.hard) return;
  const verb = adding > 0 ? 'adding' : 'subtracting';
  throw fail(
    'DENIED',
    `${verb} ${humanBytes(adding)} of storage resource, which when updated to current usage of ${humanBytes(used)} will exceed the configured upper limit of ${humanBytes(project.hard)}.`,
  );
}

/** Sets room aside while an upload runs, so that parallel ones can't pass the limit together. Call the result when done. */
export function reserve(harbor: Harbor, project: Project, bytes: number): () => void {
  const held = harbor.reserved.get(project.id) ?? 0;
  checkQuota(project, usedBytes(project) + held, bytes);
  harbor.reserved.set(project.id, held + bytes);
  return () => {
    harbor.reserved.set(project.id, (harbor.reserved.get(project.id) ?? 0) - bytes);
  };
}

/** A project pays for a blob once, however many of its repositories hold it. */
export function charge(project: Project, digest: string, size: number): void {
  project.blobs[digest] ??= size;
}
