import { gt, lt, major, minor } from 'semver';
import { DeliverError } from '../core/errors.ts';

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
