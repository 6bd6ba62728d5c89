import { SILENT, type Report } from '../../src/core/report.ts';
import type { RegistryAccount } from '../../src/registry/port.ts';
import { planPush } from '../../src/registry/push-plan.ts';
import { pushContent, type PushResult } from '../../src/registry/push-content.ts';
import { openSiteRegistry } from '../../src/registry/site-registry.ts';
import { ADMIN, openBench, type Bench } from '../lab/harbor/harness.ts';
import type { MemoryBundle } from './memory-bundle.ts';

export const RETRY = { retries: 2, firstDelay: 5 };

export interface PushOptions {
  readonly account?: RegistryAccount;
  readonly type?: 'auto' | 'harbor' | 'plain';
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
  readonly report?: Report;
  /** A registry that is no Harbor. */
  readonly host?: string;
}

/** A Harbor front over a memory registry, and pushes to it as `deliver push` makes them. */
export interface PushBench extends Bench {
  readonly host: string;
  push(bundle: MemoryBundle, options?: PushOptions): Promise<PushResult>;
  /** Uploads that the registry behind has finished: digest → how often. */
  finishedUploads(): Map<string, number>;
  /** Requests at Harbor since the last call. */
  newRequests(): string[];
}

export async function openPushBench(): Promise<PushBench> {
  const bench = await openBench();
  const host = new URL(bench.harbor.url).host;
  let seen = 0;
  return {
    ...bench,
    host,
    push: (bundle, options = {}) => pushTo(options.host ?? host, bundle, options),
    finishedUploads: () => finished(bench.registry.requests),
    newRequests: () => {
      const fresh = bench.harbor.requests.slice(seen).map(({ method, path, status }) => `${method} ${path} ${String(status)}`);
      seen = bench.harbor.requests.length;
      return fresh;
    },
  };
}

/** One push over its own connections. */
export async function pushTo(host: string, bundle: MemoryBundle, options: PushOptions = {}): Promise<PushResult> {
  const account = options.account ?? { username: ADMIN.name, password: ADMIN.password };
  const registry = await openSiteRegistry({ host, account, retry: RETRY }, options.type);
  const { writer, harbor } = registry;
  const plan = planPush(bundle.lock, { registryHost: host });
  const { concurrency, report = SILENT, signal = new AbortController().signal } = options;
  try {
    const more = { ...(harbor === undefined ? {} : { harbor }), ...(concurrency === undefined ? {} : { concurrency }) };
    return await pushContent({ bundle, plan, writer, ...more }, report, signal);
  } finally {
    await registry.close();
  }
}

export function finished(
  requests: readonly { method: string; path: string; query: string; status: number }[],
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { method, path, query, status } of requests) {
    const digest = new URLSearchParams(query).get('digest');
    if (method !== 'PUT' || !path.includes('/blobs/uploads/') || status !== 201 || digest === null) continue;
    counts.set(digest, (counts.get(digest) ?? 0) + 1);
  }
  return counts;
}
