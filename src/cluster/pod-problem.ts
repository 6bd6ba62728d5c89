import { conditionOf, fieldAt, listAt, numberAt, textAt } from './fields.ts';
import type { KubeObject } from './port.ts';

/** Why a pod does not run. */
export interface PodProblem {
  readonly kind: 'image' | 'image-name' | 'crash' | 'unschedulable' | 'config';
  /** Name of the pod. */
  readonly pod: string;
  readonly uid: string;
  readonly node: string;
  readonly container?: string;
  readonly image?: string;
  /** What the kubelet or scheduler says: `ImagePullBackOff`, `Unschedulable` … */
  readonly reason: string;
  readonly message: string;
  readonly restarts: number;
}

const KIND_OF_REASON: Readonly<Record<string, PodProblem['kind']>> = {
  ErrImagePull: 'image',
  ImagePullBackOff: 'image',
  RegistryUnavailable: 'image',
  ErrImageNeverPull: 'image',
  InvalidImageName: 'image-name',
  CrashLoopBackOff: 'crash',
  CreateContainerConfigError: 'config',
  CreateContainerError: 'config',
  RunContainerError: 'config',
};

/** What keeps these pods from running, one finding per pod, the worst first. Pods that just take their time have none. */
export function diagnosePods(pods: readonly KubeObject[]): PodProblem[] {
  const order: readonly PodProblem['kind'][] = ['image-name', 'image', 'config', 'crash', 'unschedulable'];
  return pods
    .flatMap((pod) => problemOf(pod) ?? [])
    .sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || (a.pod < b.pod ? -1 : 1));
}

function problemOf(pod: KubeObject): PodProblem | undefined {
  if (pod.metadata.deletionTimestamp !== undefined) return undefined;
  const base = { pod: pod.metadata.name, uid: pod.metadata.uid ?? '', node: textAt(pod, 'spec', 'nodeName') ?? '' };
  const containers = [...listAt(pod, 'status', 'initContainerStatuses'), ...listAt(pod, 'status', 'containerStatuses')];
  for (const status of containers) {
    const reason = textAt(status, 'state', 'waiting', 'reason') ?? '';
    const kind = KIND_OF_REASON[reason];
    if (kind === undefined) continue;
    return {
      ...base,
      kind,
      container: textAt(status, 'name') ?? '',
      image: imageOf(pod, textAt(status, 'name')) ?? textAt(status, 'image') ?? '',
      reason,
      message: kind === 'crash' ? crashMessage(status) : (textAt(status, 'state', 'waiting', 'message') ?? reason),
      restarts: numberAt(status, 'restartCount') ?? 0,
    };
  }
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.status === 'False' && scheduled.reason === 'Unschedulable') {
    return { ...base, kind: 'unschedulable', reason: scheduled.reason, message: scheduled.message, restarts: 0 };
  }
  return undefined;
}

/** The image as the release names it; the status has the resolved one. */
function imageOf(pod: KubeObject, container: string | undefined): string | undefined {
  const all = [...listAt(pod, 'spec', 'initContainers'), ...listAt(pod, 'spec', 'containers')];
  return textAt(
    all.find((known) => textAt(known, 'name') === container),
    'image',
  );
}

function crashMessage(status: unknown): string {
  const last = fieldAt(status, 'lastState', 'terminated');
  const code = numberAt(last, 'exitCode');
  const why = [textAt(last, 'reason'), textAt(last, 'message')?.trim()]
    .filter((text) => text !== undefined && text !== '')
    .join(': ');
  return `exit code ${code === undefined ? 'unknown' : String(code)}${why === '' ? '' : ` (${why})`}`;
}
