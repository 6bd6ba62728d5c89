import semver from 'semver';
import { installText } from '../packages.ts';
import { check, type Check } from './check.ts';
import type { BuildFacts } from './facts.ts';
import { isNode, type BuildNeeds, type HostDuty } from './needs.ts';

/** What the questions of the preflight are asked with: without one of these no other answer can be believed. */
export const ASKED_WITH = ['awk', 'cat', 'date', 'df', 'dirname', 'grep', 'head', 'id', 'ls', 'sed', 'sort', 'tr', 'uname'];

const ALWAYS = ['tar', 'gzip', 'sha256sum', 'base64', 'stat', 'find'];
const ON_NODES = ['ip', 'iptables', 'mount', 'nsenter', 'flock'];

/** Those that kubeadm asks for there, and those that deliver works with. */
export function neededPrograms(duty: HostDuty, { kubernetes }: Pick<BuildNeeds, 'kubernetes'>): string[] {
  const conntrack = kubernetes !== undefined && semver.lt(kubernetes, '1.32.0');
  return [...ALWAYS, ...(isNode(duty) ? [...ON_NODES, ...(conntrack ? ['conntrack'] : [])] : [])];
}

/** Whether a host that is built on has all its programs. */
export function programCheck(host: string, { lacks }: BuildFacts, duty: HostDuty, needs: BuildNeeds): Check {
  const needed = neededPrograms(duty, needs);
  const missing = lacks.filter((name) => needed.includes(name));
  return missing.length === 0 ? check('programs', 'programs').pass({ host }) : lacking(host, missing);
}

/** The failed check that names every program that is missing, and where all of them come from. */
export function lacking(host: string, missing: readonly string[]): Check {
  return check('programs', 'programs').fail({
    host,
    found: `missing: ${missing.join(', ')}`,
    fix: installText(host, missing),
  });
}
