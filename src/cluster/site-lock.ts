import { DeliverError, isDeliverError } from '../core/errors.ts';
import { isNotFound, isOutdated } from './api-error.ts';
import type { Report } from '../core/report.ts';
import { numberAt, textAt } from './fields.ts';
import { pause } from './pause.ts';
import type { ClusterApi, KubeObject } from './port.ts';
import { MANAGED_BY, SYSTEM_NAMESPACE } from './system.ts';

const LEASE = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  name: 'deliver-install',
  namespace: SYSTEM_NAMESPACE,
} as const;
/** Seconds without a renewal after which the holder is given up; an API server that restarts is away for less. */
const DURATION = 20;
/** Milliseconds between renewals. */
const RENEW = 5_000;
const LOOK = 1_000;
/** Milliseconds for giving it back: the cluster may be the very thing that the holder took away. */
const GIVE_BACK = 5_000;

export interface SiteLockOptions {
  /** `ops@laptop, process 4711, 1f9c…`: unlike any other’s, the same for as long as the lock is held. */
  readonly holder: string;
  /** True when that holder is known to be dead, so that nobody has to wait for it. */
  readonly isDead: (holder: string) => boolean;
  readonly report: Report;
  readonly signal: AbortSignal;
  /** Milliseconds between renewals, for tests. */
  readonly renewEvery?: number;
}

/** A lock that is held. */
export interface SiteLock {
  /** Aborts, with the error that says so, when somebody else took the lock. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/**
 * Takes the one lock of a site: a Lease, which the holder renews. The API server itself decides who wins, since each holder is a
 * field manager of its own. Who holds it is believed to be alive when it renews while one looks, whatever the clocks say; one that
 * doesn't within its time is followed.
 * @throws DeliverError E_SITE_BUSY naming who and since when, E_CLUSTER, E_CLUSTER_AUTH
 */
export async function takeSiteLock(api: ClusterApi, options: SiteLockOptions): Promise<SiteLock> {
  await ensureNamespace(api, options.signal);
  let seen: { readonly renewed: string; readonly holder: string; readonly at: number } | undefined;
  for (;;) {
    const lease = await api.get(LEASE, options.signal);
    const holder = textAt(lease, 'spec', 'holderIdentity') ?? '';
    const renewed = textAt(lease, 'spec', 'renewTime') ?? '';
    if (seen?.holder !== holder) seen = { renewed, holder, at: performance.now() };
    else if (lease !== undefined && holder !== '' && seen.renewed !== renewed) throw busy(lease);
    const patience = (numberAt(lease, 'spec', 'leaseDurationSeconds') ?? DURATION) * 1000;
    const free = lease === undefined || holder === '' || options.isDead(holder) || performance.now() - seen.at > patience;
    if (free && (await write(api, options, lease))) return new HeldLock(api, options);
    if (!free) {
      const detail = `locked by ${holderText(holder)}: looking whether it is alive`;
      options.report.progress({ done: 0, total: 1, unit: 'items', detail });
      await pause(LOOK, options.signal);
    }
  }
}

/** Who holds the lock of the site; undefined when nobody does. */
export async function siteLockHolder(api: ClusterApi, signal?: AbortSignal): Promise<string | undefined> {
  const holder = textAt(await api.get(LEASE, signal), 'spec', 'holderIdentity');
  return holder === undefined || holder === '' ? undefined : holderText(holder);
}

class HeldLock implements SiteLock {
  readonly #api: ClusterApi;
  readonly #options: SiteLockOptions;
  readonly #stop = new AbortController();
  readonly #lost = new AbortController();
  readonly #beating: Promise<void>;

  constructor(api: ClusterApi, options: SiteLockOptions) {
    this.#api = api;
    this.#options = { ...options, signal: this.#stop.signal };
    this.#beating = this.#beat();
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async release(): Promise<void> {
    this.#stop.abort();
    await this.#beating;
    // A lock that can't be given back now is followed when its time is over.
    await this.#giveBack().catch(() => undefined);
  }

  async #giveBack(): Promise<void> {
    const signal = AbortSignal.timeout(GIVE_BACK);
    const lease = await this.#api.get(LEASE, signal);
    if (textAt(lease, 'spec', 'holderIdentity') === this.#options.holder)
      await this.#api.delete(LEASE, { uid: lease?.metadata.uid, signal });
  }

  async #beat(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await pause(this.#options.renewEvery ?? RENEW, this.#stop.signal);
        const lease = await this.#api.get(LEASE, this.#stop.signal);
        const mine = textAt(lease, 'spec', 'holderIdentity') === this.#options.holder;
        if (lease !== undefined && mine && (await write(this.#api, this.#options, lease))) continue;
        if (lease === undefined && (await write(this.#api, this.#options, undefined))) continue;
        this.#lost.abort(taken(lease));
        return;
      } catch {
        // The API server is away (or this lock is given back): the next beat tries again.
      }
    }
  }
}

/** @returns false when another was faster */
async function write(api: ClusterApi, { holder, signal }: SiteLockOptions, before: KubeObject | undefined): Promise<boolean> {
  const held = textAt(before, 'spec', 'holderIdentity') === holder;
  const now = microTime(new Date());
  const acquireTime = held ? (textAt(before, 'spec', 'acquireTime') ?? now) : now;
  const { apiVersion, kind, name, namespace } = LEASE;
  const resourceVersion = before?.metadata.resourceVersion;
  const lease = {
    apiVersion,
    kind,
    metadata: { name, namespace, labels: MANAGED_BY, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    spec: { holderIdentity: holder, acquireTime, renewTime: now, leaseDurationSeconds: DURATION },
  };
  try {
    // Forced only over what was seen: the version it had is part of the request.
    await api.apply(lease, { manager: managerOf(holder), force: before !== undefined, signal });
    return true;
  } catch (error) {
    if (isDeliverError(error, 'E_CONFLICT') || isOutdated(error) || isNotFound(error)) return false;
    throw error;
  }
}

async function ensureNamespace(api: ClusterApi, signal: AbortSignal): Promise<void> {
  const ref = { apiVersion: 'v1', kind: 'Namespace', name: SYSTEM_NAMESPACE };
  if ((await api.get(ref, signal)) !== undefined) return;
  await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: SYSTEM_NAMESPACE, labels: MANAGED_BY } }, { signal });
}

function busy(lease: KubeObject): DeliverError {
  const since = textAt(lease, 'spec', 'acquireTime') ?? '';
  return new DeliverError('E_SITE_BUSY', {
    what: `${holderText(textAt(lease, 'spec', 'holderIdentity') ?? '')} works on this site since ${since.slice(0, 16).replace('T', ' ')} UTC.`,
    why: 'Its lock in the cluster is being renewed, so it is alive.',
    fix: 'Wait until it is done, or ask that person to stop it (Ctrl-C); then run the same command again.',
    state: 'Nothing was changed.',
  });
}

function taken(lease: KubeObject | undefined): DeliverError {
  return new DeliverError('E_SITE_BUSY', {
    what: `The lock of this site was taken over by ${holderText(textAt(lease, 'spec', 'holderIdentity') ?? 'somebody')}.`,
    why: 'This run could not renew it in time: the cluster did not answer, or this machine slept.',
    fix: 'Wait until the other one is done, then run the same command again.',
  });
}

/** `ops@laptop (process 4711)` */
function holderText(holder: string): string {
  const [who = '', process = ''] = holder.split(', ');
  return process === '' ? who : `${who} (${process})`;
}

/** 128 characters at most (field manager). */
function managerOf(holder: string): string {
  return `deliver-lock-${holder.replaceAll(/[^A-Za-z0-9.@-]+/g, '-')}`.slice(0, 128);
}

/** metav1.MicroTime wants six digits. */
function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}
