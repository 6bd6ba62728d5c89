import type { IncomingMessage, ServerResponse } from 'node:http';
import { startHttp } from './http.ts';

/** A file as a web server has it. */
export interface ServedFile {
  readonly bytes: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One answer. */
export type Answer = (request: IncomingMessage, response: ServerResponse, file: ServedFile) => void;

export interface FlawedFiles {
  readonly url: string;
  /** Range headers, in the order in which they came; '' without one. */
  readonly asked: string[];
  /** Answers that come before the honest ones. */
  readonly next: Answer[];
  /** What is served. */
  file: ServedFile;
}

/** A web server with one file, Range and If-Range (RFC 9110 13.1.5, 14.2), whose first answers are what a test wants. */
export async function startFlawedFiles(file: ServedFile, ...next: Answer[]): Promise<FlawedFiles> {
  const asked: string[] = [];
  const url = await startHttp((request, response) => {
    asked.push(request.headers.range ?? '');
    (next.shift() ?? honest)(request, response, server.file);
  });
  const server: FlawedFiles = { url: `${url}/f`, asked, next, file };
  return server;
}

export const honest: Answer = (request, response, file) => {
  begun(request, response, file).end(partOf(request, file));
};

/** Sends so many bytes of what was asked for and then breaks the connection. */
export const cutAfter =
  (count: number): Answer =>
  (request, response, file) => {
    begun(request, response, file).write(partOf(request, file).subarray(0, count), () => response.destroy());
  };

/** Sends so many bytes and then nothing. */
export const silentAfter =
  (count: number): Answer =>
  (request, response, file) => {
    begun(request, response, file).write(partOf(request, file).subarray(0, count));
  };

export const refusing =
  (status: number, headers: Readonly<Record<string, string>> = {}): Answer =>
  (_request, response) => {
    response.writeHead(status, headers).end('no');
  };

/** The whole file, whatever was asked for. */
export const ignoringRange: Answer = (_request, response, { bytes, headers }) => {
  response.writeHead(200, { ...headers, 'content-length': bytes.byteLength }).end(bytes);
};

/** These bytes as a part with this Content-Range. */
export const part =
  (contentRange: string | undefined, bytes: Uint8Array): Answer =>
  (_request, response, { headers }) => {
    const range = contentRange === undefined ? {} : { 'content-range': contentRange };
    response.writeHead(206, { ...headers, ...range, 'content-length': bytes.byteLength }).end(bytes);
  };

function startOf({ headers }: IncomingMessage, file: ServedFile): number | undefined {
  const [, from] = /^bytes=(\d+)-$/.exec(headers.range ?? '') ?? [];
  const condition = headers['if-range'];
  const isSame = condition === undefined || Object.values(file.headers ?? {}).includes(String(condition));
  return from === undefined || !isSame ? undefined : Number(from);
}

function partOf(request: IncomingMessage, file: ServedFile): Uint8Array {
  return file.bytes.subarray(startOf(request, file) ?? 0);
}

function begun(request: IncomingMessage, response: ServerResponse, file: ServedFile): ServerResponse {
  const from = startOf(request, file);
  const total = file.bytes.byteLength;
  const range = from === undefined ? {} : { 'content-range': `bytes ${String(from)}-${String(total - 1)}/${String(total)}` };
  return response.writeHead(from === undefined ? 200 : 206, { ...file.headers, ...range, 'content-length': total - (from ?? 0) });
}
