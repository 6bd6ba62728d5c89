import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../../core/canonical-json.ts';
import { DeliverError } from '../../core/errors.ts';
import type { HostConnection } from '../../ssh/port.ts';
import { HARBOR_FOLDER } from '../registry/paths.ts';

/** Written when an installation is whole; removed before anything of it is changed. */
export const HARBOR_MARK = `${HARBOR_FOLDER}/installed.json`;

const Mark = z.object({
  version: z.literal(1),
  harbor: z.string(),
  archive: z.string(),
  /** sha256 of harbor.yml and of the certificate that it was installed with. */
  yml: z.string(),
  certificate: z.string(),
});

export type HarborMark = z.infer<typeof Mark>;

/** Seconds that an installer of a run that was killed is waited for. */
export const LOCK_SECONDS = 900;

export interface HarborState {
  /** The version whose folder is the current one, whole or not. */
  readonly current?: string;
  /** That version’s harbor.yml. */
  readonly yml?: string;
  readonly mark?: HarborMark;
  /** Its containers run. */
  readonly running: boolean;
}

/** An installer of a run that was killed goes on to its end: what it leaves behind is looked at, not what it is about to change. */
const LOOK = `
cd ${HARBOR_FOLDER} 2>/dev/null || exit 0
[ ! -e lock ] || { exec 9<lock; flock -s -w ${String(LOCK_SECONDS)} 9 || { echo "an installer still runs there" >&2; exit 75; }; }
echo "current=$(readlink current 2>/dev/null)"
[ ! -d current/harbor ] || [ "$(cd current/harbor && docker compose ps -q 2>/dev/null 9<&- | wc -l)" -eq 0 ] || echo running=yes
`;

/** What of Harbor is on a host. Changes nothing. @throws DeliverError E_SSH*, E_SUDO, E_HOST */
export async function readHarbor(connection: HostConnection, signal: AbortSignal): Promise<HarborState> {
  const ran = await connection.run(`PATH=$PATH:/usr/local/bin; ${LOOK}`, {
    sudo: true,
    signal,
    timeout: (LOCK_SECONDS + 60) * 1000,
  });
  if (ran.code !== 0) {
    throw new DeliverError('E_HOST', {
      what: `${connection.host.name} could not be asked about Harbor.`,
      why: ran.stderr.trim().split('\n').at(-1) ?? '',
      state: 'Nothing was changed.',
    });
  }
  const current = /^current=(.+)$/m.exec(ran.stdout)?.[1];
  if (current === undefined) return { running: false };
  const [yml, mark] = await Promise.all(
    [`${HARBOR_FOLDER}/${current}/harbor/harbor.yml`, HARBOR_MARK].map(async (path) => {
      const bytes = await connection.readFile(path);
      return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
    }),
  );
  const parsed = markOf(mark);
  return {
    current,
    ...(yml === undefined ? {} : { yml }),
    ...(parsed === undefined ? {} : { mark: parsed }),
    running: /^running=yes$/m.test(ran.stdout),
  };
}

export function harborMark(version: string, archive: string, yml: string, certificate: string): HarborMark {
  return { version: 1, harbor: version, archive, yml: sha256(yml), certificate: sha256(certificate) };
}

export function markText(mark: HarborMark): string {
  return `${canonicalJson(mark)}\n`;
}

export function sameMark(one: HarborMark | undefined, other: HarborMark): boolean {
  return one !== undefined && canonicalJson(one) === canonicalJson(other);
}

function markOf(text: string | undefined): HarborMark | undefined {
  try {
    return Mark.parse(JSON.parse(text ?? ''));
  } catch {
    // Cut off half-way: as if it were not there.
    return undefined;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
