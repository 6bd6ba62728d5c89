import { z } from 'zod';
import type { HostConnection } from '../../ssh/port.ts';
import { kubectl } from './host.ts';

const Labels = z.record(z.string(), z.string()).default({});
const PodItem = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    labels: Labels,
    annotations: Labels,
    deletionTimestamp: z.string().optional(),
    ownerReferences: z.array(z.object({ kind: z.string(), controller: z.boolean().optional() })).default([]),
  }),
  spec: z.object({ nodeName: z.string().optional() }),
  status: z.object({ phase: z.string().optional() }),
});
const Expression = z.object({ key: z.string(), operator: z.string(), values: z.array(z.string()).default([]) });
const BudgetItem = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string() }),
  spec: z.object({
    selector: z.object({ matchLabels: Labels, matchExpressions: z.array(Expression).default([]) }).optional(),
  }),
  status: z
    .object({
      disruptionsAllowed: z.int().default(0),
      currentHealthy: z.int().default(0),
      desiredHealthy: z.int().default(0),
    })
    .prefault({}),
});
type Selector = NonNullable<z.infer<typeof BudgetItem>['spec']['selector']>;

/** A pod that a drain has to move. */
export interface NodePod {
  /** `namespace/name` */
  readonly name: string;
  readonly namespace: string;
  readonly node: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Nothing makes it again. */
  readonly lone: boolean;
  /** It was told to end, and has not yet. */
  readonly ending: boolean;
}

/** A pod disruption budget. */
export interface Budget {
  /** `namespace/name` */
  readonly name: string;
  readonly namespace: string;
  readonly allowed: number;
  readonly healthy: number;
  readonly wanted: number;
  matches(labels: Readonly<Record<string, string>>): boolean;
}

/** The pods of a node (of all nodes) that kubectl drain would move: none of a DaemonSet, of the kubelet’s own files, or that ended. */
export async function podsToMove(control: HostConnection, node?: string, signal?: AbortSignal): Promise<NodePod[]> {
  const of = node === undefined ? '' : ` --field-selector spec.nodeName=${node}`;
  const { items } = await listed(control, `get pods -A${of} -o json`, PodItem, signal);
  return items.flatMap(({ metadata, spec, status }) => {
    const controller = metadata.ownerReferences.find((owner) => owner.controller === true)?.kind;
    const stays =
      controller === 'DaemonSet' ||
      'kubernetes.io/config.mirror' in metadata.annotations ||
      status.phase === 'Succeeded' ||
      status.phase === 'Failed' ||
      spec.nodeName === undefined;
    if (stays) return [];
    return {
      name: `${metadata.namespace}/${metadata.name}`,
      namespace: metadata.namespace,
      node: spec.nodeName ?? '',
      labels: metadata.labels,
      lone: controller === undefined,
      ending: metadata.deletionTimestamp !== undefined,
    };
  });
}

/** What keeps each of these pods where it is, a line each. */
export async function holdersOf(control: HostConnection, pods: readonly NodePod[], signal?: AbortSignal): Promise<string[]> {
  const { items } = await listed(control, 'get poddisruptionbudgets -A -o json', BudgetItem, signal);
  const budgets = items.map(budgetOf);
  return pods.map((pod) => holderOf(pod, budgets));
}

export function holderOf(pod: NodePod, budgets: readonly Budget[]): string {
  if (pod.ending) return `${pod.name} was told to end, and has not yet.`;
  const own = budgets.filter((budget) => budget.namespace === pod.namespace && budget.matches(pod.labels));
  const [first, ...more] = own;
  if (first === undefined) return `${pod.name} is still there.`;
  if (more.length > 0) {
    return `${pod.name} has ${String(own.length)} PodDisruptionBudgets (${own.map(({ name }) => name).join(', ')}); Kubernetes evicts no such pod.`;
  }
  const full = own.find(({ allowed }) => allowed === 0);
  if (full === undefined) return `${pod.name} is still there.`;
  return `PodDisruptionBudget ${full.name} holds ${pod.name}: it wants ${String(full.wanted)} healthy, and ${String(full.healthy)} ${full.healthy === 1 ? 'is' : 'are'}.`;
}

async function listed<T>(
  control: HostConnection,
  args: string,
  item: z.ZodType<T>,
  signal: AbortSignal | undefined,
): Promise<{ items: T[] }> {
  const work = { what: `kubectl ${args.split(' ').slice(0, 2).join(' ')}`, ...(signal === undefined ? {} : { signal }) };
  const text = await kubectl(control, `--request-timeout=20s ${args}`, work);
  return z.object({ items: z.array(item) }).parse(JSON.parse(text));
}

function budgetOf({ metadata, spec, status }: z.infer<typeof BudgetItem>): Budget {
  return {
    name: `${metadata.namespace}/${metadata.name}`,
    namespace: metadata.namespace,
    allowed: status.disruptionsAllowed,
    healthy: status.currentHealthy,
    wanted: status.desiredHealthy,
    matches: (labels) => spec.selector !== undefined && matches(spec.selector, labels),
  };
}

function matches({ matchLabels, matchExpressions }: Selector, labels: Readonly<Record<string, string>>): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values }) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      if (operator === 'In') return value !== undefined && values.includes(value);
      return value === undefined || !values.includes(value);
    })
  );
}
