import { interpolate } from './interpolate.ts';
import { refuse, pathText, type JsonPath } from './problem.ts';
import { ReleaseSchema, type Release } from './release-schema.ts';
import { keysAt } from './schema-keys.ts';
import { schemaProblems } from './schema-problems.ts';
import { SiteSchema, type Site } from './site-schema.ts';
import { didYouMean } from './suggest.ts';
import { nameSteps, type Variable } from './variables.ts';

/**
 * The release with `${versions.…}` filled in; what only the site knows stays for later.
 * @throws DeliverError E_VARIABLE
 */
export function fillVersions(release: Release): Release {
  const { versions = {}, ...rest } = release;
  const filled = interpolate(rest, { versions }, { leave: ['site', 'secret', 'outputs'] });
  return reparsed({ ...(filled as object), ...(release.versions === undefined ? {} : { versions }) }, 'The release');
}

/**
 * The release with `${site.…}` filled in from the site file; secrets and outputs stay for the moment of apply.
 * @throws DeliverError E_VARIABLE when the site lacks a value, E_SCHEMA when a value does not fit its place
 */
export function fillSite(release: Release, site: Site): Release {
  const filled = interpolate(
    release,
    { site },
    { leave: ['versions', 'secret', 'outputs'], missing: (variable) => missingInSite(variable, site.metadata.name) },
  );
  return reparsed(filled, `The release, filled in from site ${site.metadata.name},`);
}

/** Why a `${site.…}` has no value. */
export function missingInSite(variable: Variable, siteName: string): string {
  const steps = nameSteps(variable.name);
  const last = steps.at(-1);
  const known = keysAt(SiteSchema, steps.slice(0, -1));
  if (typeof last !== 'string' || known.length === 0 || known.includes(last)) {
    return `is needed, but the file of site ${siteName} does not set ${pathText(steps)}`;
  }
  return `names something that a site file does not have.${didYouMean(last, known)}`;
}

/** A number or switch from the site becomes text where the release wants text: `env: { PORT: "${site.values.port}" }`. */
function reparsed(value: unknown, what: string): Release {
  const result = ReleaseSchema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    if (issue.code === 'invalid_type' && issue.expected === 'string') stringifyAt(value, issue.path as JsonPath);
  }
  const second = ReleaseSchema.safeParse(value);
  if (second.success) return second.data;
  refuse(what, schemaProblems(ReleaseSchema, value), () => 'after filling in');
  return ReleaseSchema.parse(value);
}

function stringifyAt(top: unknown, path: JsonPath): void {
  let parent = top as Record<string | number, unknown>;
  for (const step of path.slice(0, -1)) parent = parent[step] as Record<string | number, unknown>;
  const last = path.at(-1);
  if (last === undefined) return;
  const value = parent[last];
  if (typeof value === 'number' || typeof value === 'boolean') parent[last] = String(value);
}
