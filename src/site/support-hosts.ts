import pLimit from 'p-limit';
import { isDeliverError, messageOf } from '../core/errors.ts';
import type { Report } from '../core/report.ts';
import type { SiteHost } from '../manifest/site-schema.ts';
import type { HostConnection, HostConnector } from '../ssh/port.ts';
import type { SupportArchive } from './support-archive.ts';
import { boundedItem, supportItems, wholeLines } from './support-items.ts';

/** Each holds at most one item in memory. */
const AT_ONCE = 4;
const ITEM_TIMEOUT = 60_000;

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
  return pLimit(AT_ONCE).map(hosts, async (host) => {
    const result = await collectHost(connector, host, archive, hours, signal);
    report.progress({ done: ++done, total: hosts.length, unit: 'items', detail: host.name });
    return result;
  });
}

async function collectHost(
  connector: HostConnector,
  host: SiteHost,
  archive: SupportArchive,
  hours: number,
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
  for (const item of supportItems(hours)) {
    const found = await ask(connection, boundedItem(item), host.sudo === true, signal);
    if ('problem' in found) {
      await archive.add(
        `${folder}/INCOMPLETE.txt`,
        `${item.name}: ${found.problem}\nWhat would come after it was not asked for.\n`,
      );
      return { host: host.name, files, problem: found.problem };
    }
    // Units that are not there have no log.
    if (found.text.trim() === '') continue;
    await archive.add(`${folder}/${item.name}`, wholeLines(found.text, item));
    files += 1;
  }
  return { host: host.name, files };
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
