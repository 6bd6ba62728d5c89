import { createHash } from 'node:crypto';
import { isDigest, hexOf } from '../core/digest.ts';
import { DeliverError } from '../core/errors.ts';
import type { Reference } from '../core/reference.ts';

/** How a site's registry is named and divided. */
export interface SiteNaming {
  /** As in references: `host` or `host:port`. */
  readonly registryHost: string;
  /** Everything below this one project. */
  readonly project?: string;
}

export interface SiteRepository {
  /** Harbor project: the first component of `repository`. */
  readonly project: string;
  /** Path below the site's registry. */
  readonly repository: string;
}

/** Harbor's rule for project names (src/pkg/project/manager.go), at most 255 characters. */
const PROJECT = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

/**
 * Where a reference lives on site (design.md, promise 7). References of different hosts never meet:
 * a reference to the site's own registry keeps its path, every other host has a folder of its own.
 */
export function siteRepository(reference: Pick<Reference, 'host' | 'repository'>, site: SiteNaming): SiteRepository {
  const folder = siteFolder(reference.host, site);
  return located(folder === undefined ? reference.repository : `${folder}/${reference.repository}`);
}

/**
 * Path below the site's registry under which everything of a source host is kept: what a containerd mirror for that host points to.
 * @returns undefined for the site's own registry, whose references keep their path
 * @throws DeliverError E_REFERENCE when `registry.project` is no project name
 */
export function siteFolder(host: string, site: SiteNaming): string | undefined {
  if (plainHost(host) === plainHost(site.registryHost)) return undefined;
  const folder = hostFolder(host);
  return site.project === undefined ? folder : `${checkedProject(site.project)}/${folder}`;
}

/** Charts have no source host on site: `charts/<name>`, or `<project>/charts/<name>`. */
export function siteChartRepository(name: string, site: SiteNaming): SiteRepository {
  return located(site.project === undefined ? `charts/${name}` : `${checkedProject(site.project)}/charts/${name}`);
}

/** Tag of a chart version: OCI tags have no “+” (Helm's own rule). */
export function chartTag(version: string): string {
  return version.replaceAll('+', '_');
}

/** Tag for what is only referred to by digest, so that no clean-up of untagged artifacts removes it. */
export function digestTag(digest: string): string {
  if (!isDigest(digest)) throw new DeliverError('E_BUG', { what: `not a digest: ${digest}` });
  return `sha256.${hexOf(digest)}`;
}

/**
 * One project name per host, different for different hosts. `host:port` becomes `host-port`; a name that could be mistaken for one
 * of those, or that Harbor would refuse (punycode's “--”, IPv6), gets a hash.
 */
function hostFolder(host: string): string {
  const lower = plainHost(host);
  const { name, port } = /^(?<name>[^:]*)(?::(?<port>\d+))?$/.exec(lower)?.groups ?? {};
  if (name !== undefined && PROJECT.test(name)) {
    if (port !== undefined) return `${name}-${port}`;
    if (!/-(?:\d+|x[0-9a-f]{12})$/.test(name)) return name;
  }
  const readable = lower
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/[.-]{2,}/g, '-')
    .replace(/^[.-]+|[.-]+$/g, '');
  const hash = createHash('sha256').update(lower).digest('hex').slice(0, 12);
  return `${readable === '' ? 'host' : readable}-x${hash}`;
}

/** Host names don't care for case, and 443 is where a registry is anyway. */
function plainHost(host: string): string {
  return host.toLowerCase().replace(/:443$/, '');
}

function located(repository: string): SiteRepository {
  return { project: repository.split('/')[0] ?? repository, repository };
}

function checkedProject(project: string): string {
  if (PROJECT.test(project) && project.length <= 255) return project;
  throw new DeliverError('E_REFERENCE', {
    what: `“${project}” is not a project name.`,
    why: 'A Harbor project is named by lower-case letters and digits joined by single “.”, “_” or “-”.',
    fix: 'Correct registry.project in the site file, or what follows the host in --to.',
  });
}
