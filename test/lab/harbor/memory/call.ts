import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BlobStore } from './blobs.ts';
import type { Content } from './content.ts';

/**
 * 'spec' follows the OCI distribution spec 1.1: Content-Range checked, referrers, single-POST uploads.
 * 'distribution' does as distribution 2.8 behind a Harbor: offsets in `_state`, no resume, Accept rules, no referrers.
 */
export type Flavour = 'spec' | 'distribution';

export interface Call {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly method: string;
  readonly query: URLSearchParams;
  readonly content: Content;
  readonly store: BlobStore;
  readonly flavour: Flavour;
  /** Location values: absolute, or a path only. */
  readonly locate: (path: string) => string;
}

export function answer(call: Pick<Call, 'res'>, status: number, headers: Record<string, string | number> = {}): void {
  call.res.writeHead(status, { 'Content-Length': 0, ...headers }).end();
}

export function answerJson(
  call: Pick<Call, 'res'>,
  status: number,
  value: unknown,
  headers: Record<string, string | number> = {},
): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  call.res.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': body.length, ...headers });
  call.res.end(body);
}

export function refuse(
  call: Pick<Call, 'res'>,
  status: number,
  code: string,
  message: string,
  more: { detail?: unknown; headers?: Record<string, string | number> } = {},
): void {
  const error = more.detail === undefined ? { code, message } : { code, message, detail: more.detail };
  answerJson(call, status, { errors: [error] }, more.headers);
}
