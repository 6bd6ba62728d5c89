import { gt, lt, major, minor, valid } from 'semver';
import { DeliverError } from '../../core/errors.ts';
import type { ProbedNode } from './world.ts';

/**
 * Whether a cluster may go from one version to another in one step: `none`, or `step`.
 * @throws DeliverError E_PREFLIGHT with the path to take when a minor version would be skipped, or when it would go back
 */
export function upgradeStep(from: string, to: string): 'none' | 'step' {
  if (from === to) return 'none';
  if (lt(to, from)) {
    throw new DeliverError('E_PREFLIGHT', {
      what: `The cluster has Kubernetes ${from}, and this release has ${to}.`,
      why: 'Kubernetes can’t go back to an older version.',
      fix: `Install a release with ${from} or a newer one.`,
      state: 'Nothing was changed.',
    });
  }
  const between = minor(to) - minor(from);
  if (gt(to, from) && major(to) === major(from) && between <= 1) return 'step';
  const path = Array.from({ length: between }, (_, index) => `v${String(major(to))}.${String(minor(from) + index + 1)}`);
  throw new DeliverError('E_PREFLIGHT', {
    what: `The cluster has Kubernetes ${from}; going to ${to} at once would skip ${String(between - 1)} minor version${between > 2 ? 's' : ''}.`,
    why: 'Kubernetes is upgraded one minor version at a time, also with a single node.',
    fix: `Install releases with ${[from, ...path.slice(0, -1).map((name) => `the newest ${name}`), to].join(' → ')}, one after the other.`,
    state: 'Nothing was changed.',
  });
}

/**
 * An upgrade that stopped half way leaves control planes of two versions, and the cluster says the newer one: the older of them
 * must not skip a minor version either. @throws DeliverError E_PREFLIGHT
 */
export function refuseSkippedMinor(controlPlanes: readonly ProbedNode[], to: string): void {
  const behind = controlPlanes.flatMap(({ node, facts }) =>
    facts.manifests.flatMap((found) =>
      valid(found) !== null && minor(to) - minor(found) > 1 ? [{ name: node.name, found }] : [],
    ),
  );
  const [first] = behind;
  if (first === undefined) return;
  throw new DeliverError('E_PREFLIGHT', {
    what: `${[...new Set(behind.map(({ name }) => name))].join(', ')} still ${behind.length === 1 ? 'has' : 'have'} Kubernetes ${first.found}; going to ${to} would skip a minor version.`,
    why: 'An earlier upgrade did not get to its end.',
    fix: `Install the release with v${String(major(to))}.${String(minor(to) - 1)} again: it goes on from there. Then this one.`,
    state: 'Nothing was changed.',
  });
}
