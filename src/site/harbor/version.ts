import { coerce, lt, type SemVer } from 'semver';
import { DeliverError } from '../../core/errors.ts';

/** Harbor’s upgrade guide: at most this many minor versions at once. */
const MOST_MINORS = 3;

export type HarborMove = 'install' | 'keep' | 'upgrade';

/**
 * What getting from one version to another takes.
 * @throws DeliverError E_PREFLIGHT for a step that Harbor does not support
 */
export function harborMove(from: string | undefined, to: string): HarborMove {
  if (from === undefined) return 'install';
  const [old, next] = [versionOf(from), versionOf(to)];
  if (old.compare(next) === 0) return 'keep';
  if (lt(next, old)) {
    throw refused(
      `Harbor ${from} runs there, and the release carries the older ${to}.`,
      'Harbor’s database can’t go back to an older version.',
      `Carry Harbor ${from} or newer in kubernetes.components.`,
    );
  }
  if (old.major !== next.major || next.minor - old.minor > MOST_MINORS) {
    const step = `${String(old.major)}.${String(old.minor + MOST_MINORS)}`;
    throw refused(
      `Harbor ${from} can’t become ${to} in one step.`,
      `Harbor supports upgrades over at most ${String(MOST_MINORS)} minor versions.`,
      old.major === next.major
        ? `Install a release that carries Harbor ${step}.x first, then this one.`
        : 'Follow Harbor’s own upgrade guide to that major version first.',
    );
  }
  return 'upgrade';
}

/** `v2.14.0` as Harbor’s own files spell it. */
export function harborTag(version: string): string {
  return `v${version.replace(/^v/, '')}`;
}

function versionOf(version: string): SemVer {
  const parsed = coerce(version);
  if (parsed !== null) return parsed;
  throw refused(
    `“${version}” is no version of Harbor.`,
    'Its versions look like v2.14.0.',
    'Correct kubernetes.components.harbor.',
  );
}

function refused(what: string, why: string, fix: string): DeliverError {
  return new DeliverError('E_PREFLIGHT', { what, why, fix, state: 'Nothing was changed.' });
}
