import pLimit from 'p-limit';
import { isDeliverError, messageOf } from '../../core/errors.ts';
import type { Report } from '../../core/report.ts';
import type { SiteHost } from '../../manifest/site-schema.ts';
import type { HostConnection, HostConnector } from '../../ssh/port.ts';
import type { SupportArchive } from './archive.ts';
import { boundedItem, itemLimit, supportItems, wholeLines } from './items.ts';

/** Each holds at most one item in memory. */
const AT_ONCE = 4;
const ITEM_TIMEOUT = 60_000;
/** So many commands may fail (a mount that hangs stops df); then the host is given up. */
const FAILURES = 3;

export interface SupportedHost {
  readonly host: string;
  /** Files of it in the archive. */
  readonly files: number;
  /** Why it is missing, or incomplete. */
  readonly problem?: string;
}

/** Adds what the hosts have to an archive; one that can't be reached is said so in its place. */
export async function collectHosts(
  connector: HostConnector,
  hosts: readonly SiteHost[],
  archive: SupportArchive,
  hours: number,
  report: Report,
  signal: AbortSignal,
): Promise<SupportedHost[]> {
  let done = 0;
  const limit = itemLimit(hosts.length);
  return pLimit(AT_ONCE).map(hosts, async (host) => {
    const result = await collectHost(connector, host, archive, { hours, limit }, signal);
    report.progress({ done: ++done, total: hosts.length, unit: 'items', detail: host.name });
    return result;
  });
}

async function collectHost(
  connector: HostConnector,
  host: SiteHost,
  archive: SupportArchive,
  { hours, limit }: { readonly hours: number; readonly limit: number },
  signal: AbortSignal,
): Promise<SupportedHost> {
  const folder = `hosts/${host.name}`;
  let connection: HostConnection;
  try {
    connection = await connector.connect(host.name, signal);
  } catch (error) {
    rethrow(error);
    await archive.add(`${folder}/UNREACHABLE.txt`, `${problemOf(error)}\n`);
    return { host: host.name, files: 0, problem: problemOf(error) };
  }
  let files = 0;
  const problems: string[] = [];
  for (const item of supportItems(hours)) {
    if (problems.length === FAILURES) break;
    const found = await ask(connection, boundedItem(item, limit), host.sudo === true, signal);
    if ('problem' in found) {
      problems.push(`${item.name}: ${found.problem}`);
      continue;
    }
    // Units that are not there have no log.
    if (found.text.trim() === '') continue;
    await archive.add(`${folder}/${item.name}`, wholeLines(found.text, item, limit));
    files += 1;
  }
  const [problem] = problems;
  if (problem === undefined) return { host: host.name, files };
  const given = problems.length === FAILURES ? ['What would come after was not asked for.'] : [];
  await archive.add(`${folder}/INCOMPLETE.txt`, [...problems, ...given, ''].join('\n'));
  return { host: host.name, files, problem };
}

async function ask(
  connection: HostConnection,
  command: string,
  sudo: boolean,
  signal: AbortSignal,
): Promise<{ readonly text: string } | { readonly problem: string }> {
  try {
    return { text: (await connection.run(command, { sudo, timeout: ITEM_TIMEOUT, signal })).stdout };
  } catch (error) {
    rethrow(error);
    return { problem: problemOf(error) };
  }
}

function problemOf(error: unknown): string {
  if (!isDeliverError(error)) return messageOf(error);
  return [error.facts.what, error.facts.why].filter((text) => text !== undefined).join(' ');
}

function rethrow(error: unknown): void {
  if (isDeliverError(error, 'E_INTERRUPTED', 'E_BUG')) throw error;
}
