import type { HostConnection } from '../../ssh/port.ts';
import { shellQuote } from '../../ssh/shell-quote.ts';
import { kubectl } from './host.ts';
import type { ClusterNode } from './nodes.ts';
import { CONTROL_PLANE_TAINT, type KubernetesNode, type Taint } from './settings.ts';

/** Annotations that say which keys deliver set, and may take away again. */
const OUR_LABELS = 'deliver/labels';
const OUR_TAINTS = 'deliver/taints';

export interface MarkChanges {
  /** Arguments of `kubectl label`: `key=value`, `key-`. */
  readonly labels: readonly string[];
  /** Arguments of `kubectl taint`: `key=value:effect`, `key:effect-`. */
  readonly taints: readonly string[];
  readonly annotations: readonly string[];
}

/** What brings a node’s labels and taints in step with the site file; keys that deliver never set are left alone. */
export function markChanges(wanted: KubernetesNode, found: ClusterNode): MarkChanges {
  const ourLabels = keysOf(found.annotations[OUR_LABELS]);
  const ourTaints = keysOf(found.annotations[OUR_TAINTS]);
  const taintId = ({ key, effect }: { readonly key: string; readonly effect: string }): string => `${key}:${effect}`;
  const labels = [
    ...Object.entries(wanted.labels).flatMap(([key, value]) => (found.labels[key] === value ? [] : [`${key}=${value}`])),
    ...ourLabels.flatMap((key) => (key in wanted.labels || !(key in found.labels) ? [] : [`${key}-`])),
  ];
  const taints = [
    ...wanted.taints.flatMap((taint) => (found.taints.some((has) => sameTaint(taint, has)) ? [] : [taintText(taint)])),
    ...ourTaints.flatMap((id) =>
      wanted.taints.some((taint) => taintId(taint) === id) || !found.taints.some((taint) => taintId(taint) === id)
        ? []
        : [`${id}-`],
    ),
  ];
  // What somebody else had put on before, just so, stays theirs; kubeadm’s own taint comes with the role that the site file gives.
  const setLabels = Object.entries(wanted.labels).filter(
    ([key, value]) => ourLabels.includes(key) || found.labels[key] !== value,
  );
  const setTaints = wanted.taints.filter(
    (taint) =>
      ourTaints.includes(taintId(taint)) ||
      taint.key === CONTROL_PLANE_TAINT.key ||
      !found.taints.some((has) => sameTaint(taint, has)),
  );
  const annotations = [
    ...noted(
      OUR_LABELS,
      setLabels.map(([key]) => key),
      found,
    ),
    ...noted(OUR_TAINTS, setTaints.map(taintId), found),
  ];
  return { labels, taints, annotations };
}

/** Puts them on; the note of what is ours first, so that a run that is killed forgets nothing. */
export async function applyMarks(
  control: HostConnection,
  node: string,
  changes: MarkChanges,
  signal?: AbortSignal,
): Promise<number> {
  const work = signal === undefined ? {} : { signal };
  const quoted = (words: readonly string[]): string => words.map(shellQuote).join(' ');
  if (changes.annotations.length > 0)
    await kubectl(control, `annotate --overwrite node ${node} ${quoted(changes.annotations)}`, work);
  if (changes.labels.length > 0) await kubectl(control, `label --overwrite node ${node} ${quoted(changes.labels)}`, work);
  if (changes.taints.length > 0) await kubectl(control, `taint --overwrite node ${node} ${quoted(changes.taints)}`, work);
  return changes.labels.length + changes.taints.length;
}

function noted(annotation: string, keys: readonly string[], found: ClusterNode): string[] {
  const text = [...keys].sort().join(',');
  if (text === (found.annotations[annotation] ?? '')) return [];
  return [text === '' ? `${annotation}-` : `${annotation}=${text}`];
}

function keysOf(text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : text.split(',');
}

function sameTaint(wanted: Taint, found: { readonly key: string; readonly value?: string; readonly effect: string }): boolean {
  return wanted.key === found.key && wanted.effect === found.effect && (wanted.value ?? '') === (found.value ?? '');
}

function taintText({ key, value, effect }: Taint): string {
  return `${key}${value === undefined || value === '' ? '' : `=${value}`}:${effect}`;
}
