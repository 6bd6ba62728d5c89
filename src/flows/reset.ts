import { countText } from '../core/amounts.ts';
import { DeliverError } from '../core/errors.ts';
import type { Flow } from '../core/report.ts';
import { didYouMean } from '../manifest/suggest.ts';
import { tracesOn, undoHost, type Traces, type Undone } from '../site/host/reset.ts';
import { buildsKubernetes, kubernetesNodes, kubernetesSettings, type KubernetesNode } from '../site/kubeadm/settings.ts';
import { wipeHost } from '../site/kubeadm/wipe.ts';
import { dataFoldersOf } from './reset-data.ts';
import { lockedSteps } from './locked-steps.ts';
import { leaveCluster } from './reset-leave.ts';
import type { SitePorts } from './site-ports.ts';
import { needed } from './install/site-step.ts';

export interface ResetResult {
  readonly host: string;
  /** It was a node of the cluster, and is none now. */
  readonly left: boolean;
  /** Nothing of deliver was there. */
  readonly nothing: boolean;
  /** Files, units and settings that are what they were before deliver came. */
  readonly back: readonly string[];
  readonly notes: readonly string[];
  /** Folders whose data went. */
  readonly removed: readonly string[];
  /** Folders whose data is still there, and the flag that removes it. */
  readonly stays: readonly { readonly path: string; readonly bytes: number; readonly flag: string }[];
}

export interface ResetInput {
  readonly host: string;
  /** Folders whose data goes too (`removedData`). */
  readonly remove: readonly string[];
}

/**
 * `deliver reset`: out of the cluster, where there still is one; Kubernetes off the host; then all that the record of the host
 * names put back. Looks first: a host that has nothing of deliver is left alone.
 */
export function resetFlow({ host: name, remove }: ResetInput, ports: SitePorts): Flow<ResetResult> {
  const { site } = ports.loaded;
  const node = wanted(name, ports);
  const step = lockedSteps(ports);
  let left = false;
  let traces: Traces | undefined;
  let result: ResetResult | undefined;
  const isNothing = (): boolean => traces?.ours === false && (node === undefined || !traces.kubernetes);
  return {
    steps: [
      step('look', 'Host', async (_report, signal) => {
        traces = await tracesOn(await ports.hosts.connect(name, signal), signal);
        return { summary: isNothing() ? `nothing of deliver is left on ${name}` : traceText(traces, name) };
      }),
      step('leave', 'Cluster', async (report, signal) => {
        if (node === undefined) return { summary: 'no part of a cluster of deliver’s' };
        const done = await leaveCluster(node, ports, report, signal);
        left = done.left;
        return { summary: done.summary, changed: Number(done.left || done.leftEtcd) };
      }),
      step('wipe', 'Kubernetes', async (_report, signal) => {
        if (node === undefined || !needed(traces).kubernetes) return { summary: 'none there' };
        await wipeHost(await ports.hosts.connect(name, signal), { etcdData: false, signal });
        return { summary: `Kubernetes is off ${name}`, changed: 1 };
      }),
      step(
        'undo',
        'What was before',
        async (report, signal) => {
          const folders = dataFoldersOf(site, name);
          const known = folders.flatMap(({ paths }) => paths);
          const undone = await undoHost(await ports.hosts.connect(name, signal), { remove, known }, signal);
          for (const note of undone.notes) report.note(`! ${note}`);
          result = resultOf(name, left, isNothing(), undone, remove, folders);
          return undone.back.length === 0
            ? { summary: 'nothing to put back' }
            : { summary: backText(undone), changed: undone.back.length };
        },
        {
          last: () => undefined,
          state: (own) => own ?? `${name} may still have parts of what deliver set up; run the same command again.`,
        },
      ),
    ],
    result: () => needed(result),
  };
}

function traceText({ kubernetes, state }: Traces, name: string): string {
  const files = Object.keys(state.record.files).length;
  const parts = [...(kubernetes ? ['Kubernetes'] : []), ...(files === 0 ? [] : [countText(files, 'file')])];
  return `${parts.length === 0 ? 'mirrors or an etcd' : parts.join(', ')} of deliver on ${name}`;
}

function backText({ back }: Undone): string {
  return `${countText(back.length, 'thing')} as before`;
}

function resultOf(
  host: string,
  left: boolean,
  nothing: boolean,
  { back, notes, stays }: Undone,
  remove: readonly string[],
  folders: ReturnType<typeof dataFoldersOf>,
): ResetResult {
  const flagOf = (path: string): string => folders.find(({ paths }) => paths.includes(path))?.flag ?? '';
  return {
    host,
    left,
    nothing: nothing && back.length === 0,
    back,
    notes,
    removed: remove,
    stays: stays.map((one) => ({ ...one, flag: flagOf(one.path) })),
  };
}

/** The host as Kubernetes has it; undefined for one that deliver makes no node of (a registry), or whose cluster is another’s. */
function wanted(name: string, { loaded: { site } }: SitePorts): KubernetesNode | undefined {
  const names = (site.hosts ?? []).map((host) => host.name);
  if (!names.includes(name))
    throw new DeliverError('E_USAGE', {
      what: `The site file has no host ${name}.${didYouMean(name, names)}`,
      state: 'Nothing was changed.',
    });
  return buildsKubernetes(site)
    ? [...kubernetesNodes(site), ...kubernetesSettings(site, '').leaving].find((each) => each.name === name)
    : undefined;
}
