import type { Routes } from './api.ts';
import { badRequest, notFound } from './errors.ts';
import { sendPage } from './paging.ts';
import { projectFor } from './project-lookup.ts';
import { sendEmpty } from './reply.ts';
import type { ImmutableRule, Selector } from './state.ts';
import { nextId } from './state.ts';

interface RuleRequest {
  disabled?: boolean;
  action?: string;
  template?: string;
  tag_selectors?: Partial<Selector>[];
  scope_selectors?: Record<string, Partial<Selector>[]>;
}

/** [src pkg/immutable/manager]: more are refused. */
const MAX_RULES = 15;

const complete = (selectors: Partial<Selector>[] | undefined): Selector[] =>
  (selectors ?? []).map(({ kind = '', decoration = '', pattern = '' }) => ({ kind, decoration, pattern }));

const view = (rule: ImmutableRule): object => ({
  action: rule.action,
  disabled: rule.disabled,
  id: rule.id,
  scope_selectors: { repository: rule.repositorySelectors },
  tag_selectors: rule.tagSelectors,
  template: rule.template,
});

const PROJECT_RULES = '/projects/{project_name_or_id}/immutabletagrules';

export const immutableRoutes: Routes = {
  [`GET ${PROJECT_RULES}`]: (x, params) => {
    const project = projectFor(x, params.project_name_or_id ?? '', 'immutable-tag', 'list');
    sendPage(x, x.harbor.state.rules.filter((rule) => rule.projectId === project.id).map(view));
  },
  [`POST ${PROJECT_RULES}`]: async (x, params, body) => {
    const project = projectFor(x, params.project_name_or_id ?? '', 'immutable-tag', 'create');
    const { state } = x.harbor;
    const request = (body ?? {}) as RuleRequest;
    const tagSelectors = complete(request.tag_selectors);
    const repositorySelectors = complete(request.scope_selectors?.repository);
    if (tagSelectors.length === 0 || repositorySelectors.length === 0)
      throw badRequest('invalid immutable rule: selectors are missing');
    if ([...tagSelectors, ...repositorySelectors].some((selector) => selector.pattern === '' || selector.kind !== 'doublestar')) {
      throw badRequest('invalid immutable rule: selector');
    }
    if (state.rules.filter((rule) => rule.projectId === project.id).length >= MAX_RULES)
      throw badRequest('too many immutable rules');
    const id = nextId(state, 'rule');
    state.rules.push({
      id,
      projectId: project.id,
      disabled: request.disabled ?? false,
      action: request.action ?? 'immutable',
      template: request.template ?? 'immutable_template',
      tagSelectors,
      repositorySelectors,
    });
    await x.harbor.store.commit();
    sendEmpty(x, 201, { Location: `${x.rawPath}/${String(id)}` });
  },
  [`DELETE ${PROJECT_RULES}/{immutable_rule_id}`]: async (x, params) => {
    const project = projectFor(x, params.project_name_or_id ?? '', 'immutable-tag', 'delete');
    const { rules } = x.harbor.state;
    const index = rules.findIndex((rule) => rule.projectId === project.id && String(rule.id) === params.immutable_rule_id);
    if (index < 0) throw notFound(`immutable tag rule ${params.immutable_rule_id ?? ''} not found`);
    rules.splice(index, 1);
    await x.harbor.store.commit();
    sendEmpty(x, 200);
  },
};
