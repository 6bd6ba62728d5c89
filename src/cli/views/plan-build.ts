import { bytesText, countText } from '../../core/amounts.ts';
import type { HostTodo, PlannedPart, PlanResult } from '../../flows/plan/types.ts';
import { detailLines, groupHosts, groupLines, hanging } from './plan-items.ts';
import { imagesSent } from './plan-images.ts';
import { kubernetesLines } from './plan-kubernetes.ts';

/** One step of an install, under the title that install gives it. */
export interface PlanStep {
  readonly title: string;
  readonly lines: readonly string[];
  /** Thing by thing, for `--verbose`: below the step, over the whole width. */
  readonly details?: readonly string[];
  /** Something is done in it. */
  readonly open: boolean;
}

/** True when deliver makes or keeps more of this site than mirrors and objects. */
export function builds({ build: { hosts, registry, runtime, kubernetes } }: PlanResult): boolean {
  return hosts.length + runtime.length > 0 || registry !== undefined || kubernetes !== undefined;
}

/** The steps of an install on hosts that deliver makes a site of, in their order. @param push what the registry gets */
export function buildSteps(plan: PlanResult, push: PlanStep, width: number): PlanStep[] {
  const { build } = plan;
  const todos = (title: string, some: readonly HostTodo[]): PlanStep[] =>
    some.length === 0 ? [] : [hostStep(title, some, width)];
  const host = todos('Registry host', build.registry === undefined ? [] : [build.registry]);
  const { kubernetes } = build;
  // The cluster that is there pulls through its mirrors at once, so they are written before the push.
  if (kubernetes === undefined) return [...host, ...todos('Mirrors', withMirrors(plan)), push];
  const isKept = kubernetes.nodes.every(({ done }) => done);
  const runtime = todos('Runtime', build.runtime);
  const registry = [...host, ...(plan.images === undefined ? [push] : [])];
  const cluster = [...build.hosts, ...build.runtime];
  const isShared = cluster.some(({ host }) => host === build.registry?.host);
  return [
    ...todos('Hosts', build.hosts),
    // One host after the other where the registry is on a node; else side by side, told lane by lane.
    ...(isShared ? [...registry, ...runtime] : [...runtime, ...registry]),
    ...todos('Mirrors', mirrorTodos(plan)),
    // Without a registry the nodes pull once they have a runtime.
    ...(plan.images === undefined ? [] : [push]),
    { title: 'Kubernetes', lines: kubernetesLines(kubernetes, width), open: !isKept },
  ];
}

/** True when an install would stop at a host. */
export function stops({ build: { hosts, registry, runtime, kubernetes } }: PlanResult): boolean {
  const todos = [...hosts, ...(registry === undefined ? [] : [registry]), ...runtime];
  const nodes = kubernetes?.nodes ?? [];
  return (
    todos.some(({ problem }) => problem !== undefined) ||
    nodes.some(({ action }) => action === 'foreign' || action === 'unreachable')
  );
}

/** What a release applies to a cluster that is still to be made. */
export function partSteps(parts: readonly PlannedPart[], width: number): PlanStep[] {
  const step = (title: string, kind: PlannedPart['kind']): PlanStep[] => {
    const names = parts.filter((part) => part.kind === kind).map(partText);
    return names.length === 0 ? [] : [{ title, lines: hanging(names.join(', '), width), open: true }];
  };
  return [...step('Add-ons', 'addon'), ...step('Externals', 'external'), ...step('Apps', 'app')];
}

/** `1.2 GB to 3 hosts, 812 MB into the registry`; undefined when nothing is sent. */
export function sentText({ build, registry, images }: PlanResult): string | undefined {
  const todos = [...build.hosts, ...(build.registry === undefined ? [] : [build.registry]), ...build.runtime];
  const sizes = new Map<string, number>();
  for (const { host, items } of todos.filter(({ problem }) => problem === undefined)) {
    const bytes = items.reduce((sum, { kind, done, bytes = 0 }) => (done || kind !== 'program' ? sum : sum + bytes), 0);
    if (bytes > 0) sizes.set(host, (sizes.get(host) ?? 0) + bytes);
  }
  const toHosts = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  const parts = [
    ...(toHosts === 0 ? [] : [`${bytesText(toHosts)} to ${countText(sizes.size, 'host')}`]),
    ...(registry.bytesToPush === 0 ? [] : [`${bytesText(registry.bytesToPush)} into the registry`]),
    ...(images === undefined ? [] : [imagesSent(images)].filter((text) => text !== undefined)),
  ];
  return parts.length === 0 ? undefined : parts.join(', ');
}

/** What the nodes get for their container runtime, mirror files among it. */
export function withMirrors(plan: PlanResult): HostTodo[] {
  const { runtime } = plan.build;
  const rest = runtime.filter(({ host }) => !plan.nodes.some((node) => node.host === host));
  return [
    ...mirrorTodos(plan).map((one) => {
      const known = runtime.find(({ host }) => host === one.host);
      return known === undefined
        ? one
        : { ...known, items: [...known.items, ...one.items], notes: [...known.notes, ...one.notes] };
    }),
    ...rest,
  ];
}

function mirrorTodos({ nodes }: PlanResult): HostTodo[] {
  return nodes.map(({ host, files, reload }) => ({
    host,
    items: [
      ...files.map((what) => ({ kind: 'mirror' as const, what, done: false })),
      ...(reload === undefined ? [] : [{ kind: 'setting' as const, what: reload.does, done: false }]),
    ],
    notes: reload?.due === true ? ['mirrors that a run which was cut off wrote are not read yet'] : [],
  }));
}

/** What is to be done on hosts, those with the same work together. */
export function hostStep(title: string, todos: readonly HostTodo[], width: number): PlanStep {
  const groups = groupHosts(todos);
  const notes = Map.groupBy(
    todos.flatMap(({ host, notes: some }) => some.map((note) => ({ host, note }))),
    ({ note }) => note,
  );
  const said = [...notes].flatMap(([note, hosts]) => hanging(`${hosts.map(({ host }) => host).join(', ')}: ${note}`, width));
  const lines = groups.length === 0 ? ['no change'] : groups.flatMap((group) => groupLines(group, width));
  return {
    title,
    lines: [...lines, ...said],
    details: groups.flatMap((group) => detailLines(group, groups.length > 1, width)),
    open: groups.length > 0,
  };
}

function partText({ name, objects }: PlannedPart): string {
  return objects === undefined ? name : `${name} (${countText(objects, 'object')})`;
}
