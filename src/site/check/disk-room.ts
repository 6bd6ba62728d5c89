import { DeliverError } from '../../core/errors.ts';
import type { HostConnection } from '../../ssh/port.ts';
import { shellQuote } from '../../ssh/shell-quote.ts';

/** Room of a filesystem, in bytes. */
export interface DiskRoom {
  readonly total: number;
  readonly free: number;
  readonly mount: string;
}

/**
 * Room of the filesystem that `path`, or its nearest folder that exists, is on.
 * @throws DeliverError E_HOST, E_SSH
 */
export async function diskFreeOf(connection: HostConnection, path: string, signal?: AbortSignal): Promise<DiskRoom> {
  const script = `LC_ALL=C; export LC_ALL; at=${shellQuote(path)}; while [ ! -e "$at" ]; do at=$(dirname "$at"); done; df -Pk "$at"`;
  const ran = await connection.run(script, { timeout: 30_000, ...(signal === undefined ? {} : { signal }) });
  const match = /^.*?\s+(\d+)\s+\d+\s+(\d+)\s+\S+\s+(\/.*)$/m.exec(ran.stdout);
  const [, total, free, mount] = match ?? [];
  if (ran.code !== 0 || mount === undefined) {
    throw new DeliverError('E_HOST', {
      what: `The free space of ${path} on ${connection.host.name} can’t be told.`,
      why: ran.stderr.trim(),
    });
  }
  return { total: Number(total) * 1024, free: Number(free) * 1024, mount };
}
