import type { AppStatus, StatusResult } from '../flows/plan-types.ts';
import type { Output } from './output.ts';
import type { Style } from './style.ts';
import { table } from './table.ts';
import { addressLines } from './view-addresses.ts';
import { MARK } from './words.ts';

type State = 'good' | 'wait' | 'bad';

const APP_STATE: Readonly<Record<AppStatus['state'], State>> = {
  current: 'good',
  'in-progress': 'wait',
  terminating: 'wait',
  failed: 'bad',
  missing: 'bad',
};

/** `deliver status`: how a site is, in one screen. */
export function viewStatus(result: StatusResult, { style }: Pick<Output, 'style'>): string[] {
  const { registry } = result;
  const registryName = [registry.host, registry.version === undefined ? '' : `Harbor ${registry.version}`]
    .filter((part) => part !== '')
    .join(' · ');
  return [
    `${style.bold(result.site)}   Kubernetes ${result.clusterProblem === undefined ? result.kubernetes : 'can’t be looked at'}`,
    '',
    'Hosts',
    ...marked(
      result.hosts.map((host) => ({ state: host.reachable ? 'good' : 'bad', cells: [host.name, host.address, host.message] })),
      style,
    ),
    '',
    'Registry',
    ...marked([{ state: registry.healthy ? 'good' : 'bad', cells: [registryName, registry.message] }], style),
    ...clusterLines(result, style),
    ...(result.apps.length === 0 ? [] : ['', 'Apps', ...marked(result.apps.map(appRow), style)]),
    ...addressLines(result),
  ];
}

function clusterLines({ clusterProblem, releases }: StatusResult, style: Style): string[] {
  if (clusterProblem !== undefined) return ['', 'Cluster', ...marked([{ state: 'bad', cells: [clusterProblem] }], style)];
  const rows = releases.map(({ name, version, state, installedAt }) => [`${name} ${version}`, state, dayOf(installedAt)]);
  return ['', 'Releases', ...(rows.length === 0 ? ['  none installed by deliver'] : table(rows, { indent: 2 }))];
}

function appRow(app: AppStatus): { state: State; cells: readonly string[] } {
  return { state: APP_STATE[app.state], cells: [`${app.namespace}/${app.name}`, app.kind, app.message] };
}

/** Rows with ✔, … or ✖ before them. */
function marked(rows: readonly { readonly state: State; readonly cells: readonly string[] }[], style: Style): string[] {
  const lines = table(rows.map(({ cells }) => cells));
  const mark: Readonly<Record<State, string>> = {
    good: style.good(MARK.done),
    wait: style.warn(MARK.running),
    bad: style.bad(MARK.failed),
  };
  return lines.map((line, index) => `  ${mark[rows[index]?.state ?? 'good']} ${line}`);
}

/** `2026-11-12T14:02:11Z` → `2026-11-12 14:02 UTC` */
function dayOf(time: string): string {
  return time.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d).*Z$/, '$1 $2 UTC');
}
