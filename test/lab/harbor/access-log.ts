import { closeSync, openSync, writeSync } from 'node:fs';
import type { Exchange } from './context.ts';
import { principalName } from './identity.ts';

/** Never a header, a body or a query value that could be a secret. */
export interface AccessEntry {
  /** ISO time of the end of the answer. */
  t: string;
  method: string;
  path: string;
  /** Only mount, from, digest and scope. */
  query: string;
  status: number;
  /** Body bytes received. */
  bytesIn: number;
  user: string;
}

export interface AccessLog {
  readonly entries: AccessEntry[];
  record(x: Exchange): void;
  close(): void;
}

const SHOWN = ['mount', 'from', 'digest', 'scope'];

export function openAccessLog(path: string | null): AccessLog {
  const file = path === null ? null : openSync(path, 'a');
  const entries: AccessEntry[] = [];
  return {
    entries,
    record: (x) => {
      const shown = [...x.query].filter(([name]) => SHOWN.includes(name)).map(([name, value]) => `${name}=${value}`);
      const entry: AccessEntry = {
        t: new Date().toISOString(),
        method: x.method,
        path: x.rawPath,
        query: shown.join('&'),
        // nginx's own code for a client (or a cut) that left before the answer.
        status: x.res.writableFinished ? x.res.statusCode : 499,
        bytesIn: x.bytesIn,
        user: principalName(x.principal),
      };
      if (file === null) entries.push(entry);
      else writeSync(file, `${JSON.stringify(entry)}\n`);
    },
    close: () => {
      if (file !== null) closeSync(file);
    },
  };
}
