import { conditionOf, fieldAt, listAt, numberAt, textAt } from './fields.ts';
import type { KubeObject } from './port.ts';

export interface ObjectStatus {
  readonly state: 'current' | 'in-progress' | 'failed' | 'terminating';
  /** `1 of 2 updated`, `2 of 2 ready`. */
  readonly message: string;
}

/**
 * Whether an object is as its spec wants it, by the rules of kstatus (kubernetes-sigs/cli-utils), with one difference: a
 * Job is current when it is complete, not while it runs.
 */
export function statusOf(object: KubeObject): ObjectStatus {
  if (object.metadata.deletionTimestamp !== undefined) return { state: 'terminating', message: 'being deleted' };
  // Argo's Rollout writes it as a text.
  const observed = fieldAt(object, 'status', 'observedGeneration');
  const generation = object.metadata.generation;
  if (observed !== undefined && generation !== undefined && Number(observed) !== generation)
    return waiting('the change is not seen yet');
  const rule = RULES[object.kind];
  return rule === undefined ? byConditions(object) : rule(object);
}

const RULES: Readonly<Partial<Record<string, (object: KubeObject) => ObjectStatus>>> = {
  Deployment: deployment,
  StatefulSet: statefulSet,
  DaemonSet: daemonSet,
  Job: job,
  Pod: pod,
  PersistentVolumeClaim: (claim) => (textAt(claim, 'status', 'phase') === 'Bound' ? current('bound') : waiting('not bound')),
  CustomResourceDefinition: (crd) => {
    if (conditionOf(crd, 'NamesAccepted')?.status === 'False') return { state: 'failed', message: 'its names are taken' };
    return conditionOf(crd, 'Established')?.status === 'True' ? current('established') : waiting('not established');
  },
};

function deployment(object: KubeObject): ObjectStatus {
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const progressing = conditionOf(object, 'Progressing');
  if (progressing?.reason === 'ProgressDeadlineExceeded') return { state: 'failed', message: progressing.message };
  const count = (name: string): number => numberAt(object, 'status', name) ?? 0;
  if (fieldAt(object, 'status', 'observedGeneration') === undefined) return waiting('not seen yet');
  if (count('updatedReplicas') < wanted) return waiting(`${of(count('updatedReplicas'), wanted)} updated`);
  if (count('replicas') > count('updatedReplicas'))
    return waiting(`${String(count('replicas') - count('updatedReplicas'))} old pods left`);
  const ready = Math.min(count('availableReplicas'), count('readyReplicas'));
  if (ready < wanted) return waiting(`${of(ready, wanted)} ready`);
  if (wanted > 0 && conditionOf(object, 'Available')?.status === 'False') return waiting('not available');
  return current(`${of(wanted, wanted)} ready`);
}

function statefulSet(object: KubeObject): ObjectStatus {
  if (textAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete') return current('updated by hand (OnDelete)');
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const count = (name: string): number => numberAt(object, 'status', name) ?? 0;
  if (fieldAt(object, 'status', 'observedGeneration') === undefined) return waiting('not seen yet');
  const ready = count('readyReplicas');
  if (count('replicas') < wanted) return waiting(`${of(count('replicas'), wanted)} made, ${String(ready)} ready`);
  if (count('replicas') > wanted) return waiting(`${String(count('replicas') - wanted)} pods too many`);
  const partition = numberAt(object, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0;
  const sameRevision = textAt(object, 'status', 'currentRevision') === textAt(object, 'status', 'updateRevision');
  // Once all are updated the controller drops updatedReplicas and moves currentRevision on.
  const updated = sameRevision ? wanted : count('updatedReplicas');
  if (updated < wanted - partition) return waiting(`${of(updated, wanted - partition)} updated`);
  if (ready < wanted) return waiting(`${of(ready, wanted)} ready`);
  if (partition === 0 && !sameRevision) return waiting(`${of(updated, wanted)} updated`);
  return current(`${of(wanted, wanted)} ready`);
}

function daemonSet(object: KubeObject): ObjectStatus {
  if (fieldAt(object, 'status', 'observedGeneration') === undefined) return waiting('not seen yet');
  const count = (name: string): number => numberAt(object, 'status', name) ?? 0;
  const wanted = count('desiredNumberScheduled');
  if (count('updatedNumberScheduled') < wanted) return waiting(`${of(count('updatedNumberScheduled'), wanted)} updated`);
  const ready = Math.min(count('numberAvailable'), count('numberReady'), count('currentNumberScheduled'));
  return ready < wanted ? waiting(`${of(ready, wanted)} ready`) : current(`${of(wanted, wanted)} ready`);
}

function job(object: KubeObject): ObjectStatus {
  const failed = conditionOf(object, 'Failed');
  if (failed?.status === 'True') return { state: 'failed', message: failed.message || 'failed' };
  if (conditionOf(object, 'Complete')?.status === 'True') return current('complete');
  if (conditionOf(object, 'Suspended')?.status === 'True') return current('suspended');
  return waiting(`running, ${String(numberAt(object, 'status', 'failed') ?? 0)} attempts failed`);
}

function pod(object: KubeObject): ObjectStatus {
  const phase = textAt(object, 'status', 'phase') ?? 'Pending';
  if (phase === 'Succeeded') return current('completed');
  if (phase === 'Failed') return { state: 'failed', message: textAt(object, 'status', 'message') ?? 'failed' };
  const reasons = listAt(object, 'status', 'containerStatuses').map((status) => textAt(status, 'state', 'waiting', 'reason'));
  if (reasons.includes('CrashLoopBackOff')) return { state: 'failed', message: 'its container crashes again and again' };
  if (phase === 'Running' && conditionOf(object, 'Ready')?.status === 'True') return current('ready');
  return waiting(reasons.find((reason) => reason !== undefined) ?? phase.toLowerCase());
}

/** Kinds without a rule: their conditions if they have any, otherwise being there is enough. */
function byConditions(object: KubeObject): ObjectStatus {
  const stalled = conditionOf(object, 'Stalled');
  if (stalled?.status === 'True') return { state: 'failed', message: stalled.message };
  const reconciling = conditionOf(object, 'Reconciling');
  if (reconciling?.status === 'True') return waiting(reconciling.message);
  const ready = conditionOf(object, 'Ready');
  if (ready !== undefined && ready.status !== 'True') return waiting(ready.message || 'not ready');
  return current('there');
}

function of(done: number, wanted: number): string {
  return `${String(done)} of ${String(wanted)}`;
}

function current(message: string): ObjectStatus {
  return { state: 'current', message };
}

function waiting(message: string): ObjectStatus {
  return { state: 'in-progress', message };
}
