import { z } from 'zod';
import type { HarborClient } from './client.ts';

const Selector = z.object({ decoration: z.string(), pattern: z.string() });
const Rules = z.array(
  z.object({
    id: z.number().optional(),
    disabled: z.boolean().optional(),
    tag_selectors: z.array(Selector).nullish(),
    scope_selectors: z.record(z.string(), z.array(Selector)).nullish(),
  }),
);
type Rule = z.infer<typeof Rules>[number];

const ALL = '**';
/** Tags by which signatures are found move when one more is added: `sha256-<hex>.sig`. */
const ABOUT_OTHERS = 'sha256-*';

/**
 * Makes the released tags of every repository of the project immutable, or no longer so; rules of another shape stay. Harbor
 * then refuses even the same content again, so a push looks first.
 */
export async function keepImmutableTags(client: HarborClient, project: string, wanted: boolean): Promise<boolean> {
  const doing = `make the tags of ${project} ${wanted ? 'immutable' : 'movable'}`;
  const path = `/projects/${encodeURIComponent(project)}/immutabletagrules`;
  const rules = (await client.list(`${path}?page_size=100`, Rules, doing)).filter(isForReleases);
  if (!wanted) {
    for (const { id } of rules) await client.call({ method: 'DELETE', path: `${path}/${String(id)}`, accept: [200, 404], doing });
    return rules.length > 0;
  }
  if (rules.length > 0) return false;
  const json = {
    disabled: false,
    action: 'immutable',
    template: 'immutable_template',
    tag_selectors: [{ kind: 'doublestar', decoration: 'excludes', pattern: ABOUT_OTHERS }],
    scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: ALL }] },
  };
  await client.call({ method: 'POST', path, json, accept: [201], doing });
  return true;
}

/** Ours, or one that covers as much: every tag of every repository. */
function isForReleases({ disabled, tag_selectors: tags, scope_selectors: scope }: Rule): boolean {
  const is = (selectors: readonly z.infer<typeof Selector>[], decoration: string, pattern: string): boolean =>
    selectors.length > 0 && selectors.every((one) => one.decoration === decoration && one.pattern === pattern);
  const isOfTags = is(tags ?? [], 'excludes', ABOUT_OTHERS) || is(tags ?? [], 'matches', ALL);
  return disabled !== true && isOfTags && is(scope?.['repository'] ?? [], 'repoMatches', ALL);
}
