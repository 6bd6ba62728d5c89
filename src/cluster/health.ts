import { DeliverError } from '../core/errors.ts';
import { SILENT, type Report } from '../core/report.ts';
import { warningsOf } from './events.ts';
import { conditionOf } from './fields.ts';
import { pause } from './pause.ts';
import { podError } from './pod-error.ts';
import { diagnosePods, type PodProblem } from './pod-problem.ts';
import { isReady, podsOf, type WorkloadPods } from './pods.ts';
import type { ClusterApi, KubeObject, KubeRef } from './port.ts';
import { refKey, refText } from './refs.ts';
import { statusOf, type ObjectStatus } from './status.ts';

export interface WaitOptions {
  /** Milliseconds for all of them together; 300 000 when absent. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  readonly report?: Report;
  /** Milliseconds for which a problem may last before it ends the wait; for tests. */
  readonly grace?: Partial<Record<PodProblem['kind'], number>>;
}

/** Kinds that become ready on their own; the rest is ready when it is there (and a claim only once its pod is). */
const WAITED = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CustomResourceDefinition']);
/** A pull may fail in passing, and a pod may wait for its predecessor's place; a wrong name never becomes right. */
const GRACE: Readonly<Record<PodProblem['kind'], number>> = {
  'image-name': 0,
  image: 10_000,
  config: 10_000,
  crash: 0,
  unschedulable: 60_000,
};
/** A pod that waits for its neighbours may crash a few times. */
const CRASHES = 3;

/**
 * Waits until all workloads among the objects are as their specs want them. What can't heal by itself ends the wait early
 * and names pod, node and cause. A StatefulSet's broken pod of an older revision would block its own replacement for ever
 * (kubernetes.io, StatefulSet “Forced rollback”): it is deleted, with a note.
 * @throws DeliverError E_IMAGE_PULL, E_NOT_READY, E_CLUSTER, E_CLUSTER_AUTH
 */
export async function waitHealthy(api: ClusterApi, refs: readonly KubeRef[], options: WaitOptions = {}): Promise<void> {
  await new Wait(api, refs, options).run();
}

/** Whether `waitHealthy` would wait for it. */
export function isWaited(ref: KubeRef): boolean {
  return WAITED.has(ref.kind);
}

class Wait {
  readonly #api: ClusterApi;
  readonly #pending: Map<string, KubeRef>;
  readonly #total: number;
  readonly #options: WaitOptions;
  readonly #report: Report;
  readonly #seen = new Map<string, number>();
  readonly #deleted = new Set<string>();

  constructor(api: ClusterApi, refs: readonly KubeRef[], options: WaitOptions) {
    this.#api = api;
    this.#pending = new Map(refs.filter(isWaited).map((ref) => [refKey(ref), ref]));
    this.#total = this.#pending.size;
    this.#options = options;
    this.#report = options.report ?? SILENT;
  }

  async run(): Promise<void> {
    const deadline = performance.now() + (this.#options.timeout ?? 300_000);
    for (let interval = 500; ; interval = Math.min(interval * 1.3, 2_000)) {
      const details: string[] = [];
      for (const [key, ref] of this.#pending) {
        const detail = await this.#look(ref, performance.now() > deadline);
        if (detail === undefined) this.#pending.delete(key);
        else details.push(detail);
      }
      const detail = details[0];
      this.#report.progress({
        done: this.#total - this.#pending.size,
        total: this.#total,
        unit: 'items',
        ...(detail === undefined ? {} : { detail }),
      });
      if (this.#pending.size === 0) return;
      await pause(interval, this.#options.signal);
    }
  }

  /** One line about what is awaited, undefined when the object is as it should be. */
  async #look(ref: KubeRef, late: boolean): Promise<string | undefined> {
    const { signal } = this.#options;
    const where = placeOf(ref);
    const object = await this.#api.get(ref, signal);
    if (object === undefined) {
      if (late) throw tooLate(where, `${refText(ref)} is not in the cluster.`, '');
      return `${where}  not there yet`;
    }
    const status = statusOf(object);
    if (status.state === 'current') return undefined;
    const pods = await podsOf(this.#api, object, signal);
    if (object.kind === 'StatefulSet') await this.#freeStuckPods(where, object, pods);
    await this.#failOnProblem(where, pods);
    if (status.state === 'failed' || late) throw await this.#notReady(where, object, pods, status);
    const waitingFor = pods.current.find((pod) => !isReady(pod)) ?? pods.old.find((pod) => !isReady(pod));
    const rest = waitingFor === undefined ? '' : `, waiting for ${waitingFor.metadata.name}`;
    return `${where}  ${status.message}${rest}`;
  }

  async #freeStuckPods(where: string, object: KubeObject, pods: WorkloadPods): Promise<void> {
    const stuck = diagnosePods(pods.old.filter((pod) => !isReady(pod)));
    for (const problem of stuck) {
      if (this.#deleted.has(problem.uid)) continue;
      const namespace = object.metadata.namespace;
      const ref = { apiVersion: 'v1', kind: 'Pod', name: problem.pod, namespace };
      await this.#api.delete(ref, { uid: problem.uid, signal: this.#options.signal });
      this.#deleted.add(problem.uid);
      this.#report.note(
        `${where}: deleted ${problem.pod}, which hung in an older revision (${problem.reason}) and blocked the new one.`,
      );
    }
  }

  async #failOnProblem(where: string, pods: WorkloadPods): Promise<void> {
    const problems = diagnosePods(pods.current);
    for (const problem of problems) {
      const key = `${problem.uid}/${problem.kind}`;
      const since = this.#seen.get(key) ?? performance.now();
      this.#seen.set(key, since);
      const grace = this.#options.grace?.[problem.kind] ?? GRACE[problem.kind];
      const again = problem.kind !== 'crash' || problem.restarts >= CRASHES;
      if (!again || performance.now() - since < grace) continue;
      throw podError(where, await this.#withAnswer(problem, pods), stateOf(pods));
    }
    // A pod that healed starts anew when the same happens again.
    const now = new Set(problems.map((problem) => `${problem.uid}/${problem.kind}`));
    for (const pod of pods.current) {
      for (const kind of Object.keys(GRACE))
        if (!now.has(`${pod.metadata.uid ?? ''}/${kind}`)) this.#seen.delete(`${pod.metadata.uid ?? ''}/${kind}`);
    }
  }

  /** The registry's own words: older kubelets have them only in an event, and say “Back-off pulling image” in the pod. */
  async #withAnswer(problem: PodProblem, pods: WorkloadPods): Promise<PodProblem> {
    if (problem.kind !== 'image' || !/^Back-off pulling image "[^"]*"\.?$/.test(problem.message)) return problem;
    const pod = pods.current.find((candidate) => candidate.metadata.uid === problem.uid);
    const warnings = pod === undefined ? [] : await warningsOf(this.#api, pod, this.#options.signal);
    const message = warnings.find((warning) => warning.message.startsWith('Failed to pull image'))?.message;
    return message === undefined ? problem : { ...problem, message };
  }

  async #notReady(where: string, object: KubeObject, pods: WorkloadPods, status: ObjectStatus): Promise<DeliverError> {
    const problem = diagnosePods(pods.current)[0];
    if (problem !== undefined) return podError(where, await this.#withAnswer(problem, pods), stateOf(pods));
    const blocked = [...pods.current, ...pods.old].find((pod) => !isReady(pod));
    const warnings = await warningsOf(this.#api, blocked ?? object, this.#options.signal);
    const failure = conditionOf(object, 'ReplicaFailure')?.message;
    const why = [
      status.message,
      ...(failure === undefined ? [] : [failure]),
      ...warnings.slice(0, 1).map(({ reason, message }) => `${reason}: ${message}`),
    ].join('. ');
    if (status.state !== 'failed') return tooLate(where, why, stateOf(pods));
    return new DeliverError('E_NOT_READY', {
      what: `${where} failed.`,
      why,
      fix: fixOf(object),
      state: stateOf(pods),
    });
  }
}

function fixOf({ kind, metadata: { name, namespace = '' } }: KubeObject): string {
  const object = `-n ${namespace} ${kind.toLowerCase()} ${name}`;
  // A Job that failed never runs again, however often it is applied.
  const again = kind === 'Job' ? `. To let it run again: kubectl delete ${object}, then run the same command again.` : '';
  return `Look at it: kubectl describe ${object}${again}`;
}

function tooLate(where: string, why: string, state: string): DeliverError {
  return new DeliverError('E_NOT_READY', {
    what: `${where} did not become ready in time.`,
    why,
    fix: 'Run the same command again to wait longer; nothing is done twice.',
    ...(state === '' ? {} : { state }),
  });
}

function stateOf(pods: WorkloadPods): string {
  const all = [...pods.current, ...pods.old];
  const names = (wanted: boolean): string =>
    all
      .filter((pod) => isReady(pod) === wanted)
      .map((pod) => pod.metadata.name)
      .join(', ') || 'none';
  return `Ready: ${names(true)}; not ready: ${names(false)}. What was applied stays, and the same command goes on from there.`;
}

function placeOf(ref: KubeRef): string {
  return ref.namespace === undefined ? ref.name : `${ref.namespace}/${ref.name}`;
}
