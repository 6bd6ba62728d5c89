import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Fault {
  method?: string;
  /** Tested against path and query. */
  path?: RegExp;
  /** How many requests it hits; 1 unless told. */
  times?: number;
  /** Matching requests to let through first. */
  skip?: number;
  delayMs?: number;
  /** Answers this instead, e.g. 503, or 429 with a Retry-After header. */
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Breaks the connection after that many body bytes, of the request if it has a body, else of the answer. */
  cutAfter?: number;
}

export interface Faults {
  add(fault: Fault): void;
  clear(): void;
  /** Plays what is due for a request; true when it has been answered or cut. */
  play(req: IncomingMessage, res: ServerResponse): Promise<boolean>;
}

/** At the parser's end of the stream, so that it holds however the handler reads. */
function cutRequest(req: IncomingMessage, after: number): void {
  let seen = req.readableLength;
  const push = req.push.bind(req) as (chunk: Buffer | null) => boolean;
  req.push = (chunk: Buffer | null) => {
    seen += chunk?.length ?? 0;
    if (seen < after) return push(chunk);
    req.socket.destroy();
    return false;
  };
}

function cutAnswer(res: ServerResponse, after: number): void {
  let sent = 0;
  const write = res.write.bind(res) as (chunk: Buffer) => boolean;
  res.write = ((chunk: Buffer) => {
    const room = after - sent;
    sent += chunk.length;
    if (sent <= after) return write(chunk);
    // Later writes and the end go nowhere, or the answer would end before the cut.
    if (room < 0) return false;
    res.end = () => res;
    write(chunk.subarray(0, room));
    // Lets what was written leave first.
    setTimeout(() => res.socket?.destroy(), 20);
    return false;
  }) as typeof res.write;
}

export function openFaults(): Faults {
  let faults: Fault[] = [];
  const due = (req: IncomingMessage): Fault | undefined => {
    const found = faults.find((fault) => (fault.method ?? req.method) === req.method && (fault.path ?? /^/).test(req.url ?? ''));
    if (found === undefined) return undefined;
    if ((found.skip ?? 0) > 0) {
      found.skip = (found.skip ?? 0) - 1;
      return undefined;
    }
    found.times = (found.times ?? 1) - 1;
    if (found.times <= 0) faults = faults.filter((fault) => fault !== found);
    return found;
  };
  return {
    add: (fault) => {
      faults.push({ ...fault });
    },
    clear: () => {
      faults = [];
    },
    play: async (req, res) => {
      const fault = due(req);
      if (fault === undefined) return false;
      if (fault.delayMs !== undefined) await sleep(fault.delayMs);
      if (fault.status !== undefined) {
        res.writeHead(fault.status, fault.headers).end(fault.body);
        return true;
      }
      if (fault.cutAfter === undefined) return false;
      if (fault.cutAfter === 0) {
        req.socket.destroy();
        return true;
      }
      const hasBody = req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;
      if (hasBody) cutRequest(req, fault.cutAfter);
      else cutAnswer(res, fault.cutAfter);
      return false;
    },
  };
}
