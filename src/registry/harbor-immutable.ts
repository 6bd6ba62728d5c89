import { z } from 'zod';
import type { HarborClient } from './harbor-client.ts';

const Selector = z.object({ decoration: z.string(), pattern: z.string() });
const Rules = z.array(
  z.object({
    disabled: z.boolean().optional(),
    tag_selectors: z.array(Selector).nullish(),
    scope_selectors: z.record(z.string(), z.array(Selector)).nullish(),
  }),
);

const ALL = '**';

/**
 * One rule for every tag of every repository of the project; further rules of others stay. Harbor then refuses even the same
 * content again, so a push looks first.
 */
export async function immutableTags(client: HarborClient, project: string): Promise<boolean> {
  const doing = `make the tags of ${project} immutable`;
  const path = `/projects/${encodeURIComponent(project)}/immutabletagrules`;
  const rules = await client.list(`${path}?page_size=100`, Rules, doing);
  const there = rules.some(
    ({ disabled, tag_selectors: tags, scope_selectors: scope }) =>
      disabled !== true && coversAll(tags ?? [], 'matches') && coversAll(scope?.['repository'] ?? [], 'repoMatches'),
  );
  if (there) return false;
  const json = {
    disabled: false,
    action: 'immutable',
    template: 'immutable_template',
    tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: ALL }],
    scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: ALL }] },
  };
  await client.call({ method: 'POST', path, json, accept: [201], doing });
  return true;
}

function coversAll(selectors: readonly z.infer<typeof Selector>[], decoration: string): boolean {
  return selectors.length > 0 && selectors.every((selector) => selector.decoration === decoration && selector.pattern === ALL);
}
