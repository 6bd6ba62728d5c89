import { request as forward } from 'node:http';
import { startHttp } from './http.ts';

/** What happens to the next GET. */
export type Flaw =
  | { readonly cutAfter: number }
  | { readonly silentAfter: number }
  | { readonly status: number }
  /** All of the object, as a store that knows no Range sends it. */
  | { readonly whole: Uint8Array };

export interface CuttingFront {
  readonly url: string;
  /** Range headers of the GETs of objects, in the order in which they came; '' without one. */
  readonly asked: string[];
  readonly flaws: Flaw[];
  /** Awaited before the next GET is passed on. */
  before: () => Promise<void>;
}

/** A front that keeps the Host header (signatures cover it) and breaks what passes as a test wants. */
export async function startCuttingFront(to: string): Promise<CuttingFront> {
  const { hostname: host, port } = new URL(to);
  const asked: string[] = [];
  const flaws: Flaw[] = [];
  let etag = '';
  const url = await startHttp((incoming, answer) => {
    const { headers } = incoming;
    asked.push(headers.range ?? '');
    const flaw = flaws.shift();
    if (flaw !== undefined && 'status' in flaw) {
      answer.writeHead(flaw.status, { 'retry-after': '0', 'content-length': 0 }).end();
      return;
    }
    if (flaw !== undefined && 'whole' in flaw) {
      answer.writeHead(200, { etag, 'content-length': flaw.whole.byteLength }).end(flaw.whole);
      return;
    }
    const pass = (): void => {
      const outgoing = forward({ host, port, path: incoming.url ?? '', method: incoming.method ?? '', headers }, (response) => {
        etag = response.headers.etag ?? '';
        answer.writeHead(response.statusCode ?? 502, response.headers);
        if (flaw === undefined) {
          response.pipe(answer);
          return;
        }
        const most = 'cutAfter' in flaw ? flaw.cutAfter : flaw.silentAfter;
        let left = most;
        response.on('data', (chunk: Buffer) => {
          const piece = chunk.subarray(0, left);
          left -= piece.length;
          if (piece.length > 0) answer.write(piece, () => left === 0 && 'cutAfter' in flaw && answer.destroy());
        });
      });
      outgoing.on('error', () => answer.destroy());
      outgoing.end();
    };
    void front.before().then(pass);
  });
  const front: CuttingFront = { url, asked, flaws, before: () => Promise.resolve() };
  return front;
}
