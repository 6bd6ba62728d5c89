import { z } from 'zod';
import type { HarborClient } from './client.ts';
import { findPreheat } from './preheat.ts';
import { findReplication } from './replication.ts';
import type { PolicyRun, WatchedPolicy } from '../port.ts';

const Count = z.number().optional();
const Replications = z.array(
  z.object({ status: z.string(), start_time: z.string().optional(), total: Count, failed: Count, succeed: Count }),
);
const Preheats = z.array(
  z.object({
    status: z.string(),
    start_time: z.string().optional(),
    metrics: z.object({ task_count: Count, success_task_count: Count, error_task_count: Count }).nullish(),
  }),
);
const NEWEST = 'page_size=1&sort=-start_time';

/** The last execution of each policy, in the order given. */
export async function lastRuns(client: HarborClient, policies: readonly WatchedPolicy[]): Promise<readonly PolicyRun[]> {
  return Promise.all(
    policies.map((policy) => (policy.kind === 'replication' ? lastReplication(client, policy) : lastPreheat(client, policy))),
  );
}

async function lastReplication(client: HarborClient, policy: WatchedPolicy & { kind: 'replication' }): Promise<PolicyRun> {
  const doing = `read the runs of the replication policy ${policy.name}`;
  const found = await findReplication(client, policy.name, doing);
  if (found === undefined) return { policy, state: 'missing' };
  const path = `/replication/executions?policy_id=${String(found.id)}&${NEWEST}`;
  const [run] = await client.list(path, Replications, doing);
  if (run === undefined) return { policy, state: 'never' };
  const { status, start_time: started, total = 0, succeed: done = 0, failed = 0 } = run;
  return runOf(policy, status, started, { total, done, failed });
}

async function lastPreheat(client: HarborClient, policy: WatchedPolicy & { kind: 'preheat' }): Promise<PolicyRun> {
  const { project, name } = policy;
  const doing = `read the runs of the preheat policy ${name}`;
  if ((await findPreheat(client, project, name, doing)) === undefined) return { policy, state: 'missing' };
  const path = `/projects/${encodeURIComponent(project)}/preheat/policies/${encodeURIComponent(name)}/executions?${NEWEST}`;
  const [run] = await client.list(path, Preheats, doing);
  if (run === undefined) return { policy, state: 'never' };
  const { task_count: total = 0, success_task_count: done = 0, error_task_count: failed = 0 } = run.metrics ?? {};
  return runOf(policy, run.status, run.start_time, { total, done, failed });
}

function runOf(
  policy: WatchedPolicy,
  status: string,
  started: string | undefined,
  figures: NonNullable<PolicyRun['figures']>,
): PolicyRun {
  return { policy, state: stateOf(status), status, ...(started === undefined ? {} : { started }), figures };
}

/** Harbor spells them differently for replications and for other jobs. */
function stateOf(status: string): 'running' | 'done' | 'failed' {
  if (/^succe/i.test(status)) return 'done';
  return /^(?:fail|error|stop)/i.test(status) ? 'failed' : 'running';
}
