import { compare, parse, type SemVer } from 'semver';
import type { FileSource } from '../store/port.ts';
import { lastInTable } from './component-image-table.ts';
import type { NeededComponent } from './component-files.ts';
import { gatherUpTo } from './small-blob.ts';

/** A list of a folder, or the name of a version, is never larger. */
const MAX_BYTES = 2 * 1024 * 1024;
const VERSION = String.raw`v?\d+\.\d+\.\d+(?:-(?:alpha|beta|rc)\.?\d+)?`;

/**
 * A sentence on the versions that could have been meant: what the server says is the newest of this minor, or what its folder
 * lists (mirrors mostly do), else what deliver itself knows. Undefined when nobody knows.
 */
export async function versionsNear(
  needed: NeededComponent,
  files: FileSource,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { source, component } = needed;
  const wanted = parse(component.version);
  if (wanted === null) return undefined;
  const minor = `${String(wanted.major)}.${String(wanted.minor)}`;
  const stable = stableUrl(source, component.version, minor);
  const newest = stable === undefined ? undefined : parse((await read(stable, files, signal))?.trim());
  if (newest !== undefined && newest !== null) return `The newest ${minor} there is ${component.name} v${newest.version}.`;
  const near = nearest(wanted, await listed(source, component.version, files, signal));
  if (near.length > 0) return `Near it there is ${near.map(({ raw }) => raw).join(', ')}.`;
  const last = stable === undefined && !needed.neededBy.startsWith('kubernetes.version') ? undefined : lastInTable(wanted.minor);
  return last === undefined || last === component.version ? undefined : `The newest ${minor} that deliver knows of is ${last}.`;
}

/** Kubernetes says the newest patch release of each minor in a file of its own, which mirrors of the host have as well. */
function stableUrl(source: string, version: string, minor: string): string | undefined {
  const [base, rest] = source.split(`/release/${version}/`);
  return base === undefined || rest === undefined ? undefined : `${base}/release/stable-${minor}.txt`;
}

/** The versions that stand in the folder where this one should be. */
async function listed(source: string, version: string, files: FileSource, signal: AbortSignal | undefined): Promise<SemVer[]> {
  const url = new URL(source);
  const bare = version.replace(/^v/, '');
  const steps = url.pathname.split('/');
  const at = steps.findIndex((step) => step.includes(bare));
  const step = steps[at];
  if (step === undefined) return [];
  url.pathname = `${steps.slice(0, at).join('/')}/`;
  const page = await read(url.href, files, signal);
  const pattern = new RegExp(
    `^${step
      .split(step.includes(version) ? version : bare)
      .map(escaped)
      .join(`(${VERSION})`)}$`,
  );
  const names = [...(page ?? '').matchAll(/href=["']?([^"'\s>]+)/gi)].map(([, href = '']) => lastStep(href));
  return names.flatMap((name) => parse(pattern.exec(name)?.[1]) ?? []);
}

/** Two below and one above, or as many as there are. */
function nearest(wanted: SemVer, found: readonly SemVer[]): SemVer[] {
  const sorted = [...new Map(found.map((one) => [one.version, one])).values()].sort(compare);
  const above = sorted.findIndex((one) => compare(one, wanted) > 0);
  const end = above < 0 ? sorted.length : above + 1;
  return sorted.slice(Math.max(0, end - 3), end);
}

function lastStep(href: string): string {
  const name =
    href
      .replace(/[?#].*$/, '')
      .replace(/\/+$/, '')
      .split('/')
      .at(-1) ?? '';
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

/** Undefined when it can’t be had: this is only to say more about an error. */
async function read(url: string, files: FileSource, signal: AbortSignal | undefined): Promise<string | undefined> {
  try {
    return (await gatherUpTo(await files.open(url, signal), MAX_BYTES))?.toString('utf8');
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}
