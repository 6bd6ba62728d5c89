import type { OutgoingHttpHeaders } from 'node:http';
import type { Exchange } from './context.ts';
import type { ApiError } from './errors.ts';

type Out = Pick<Exchange, 'res'>;

export function sendEmpty(x: Out, status: number, headers: OutgoingHttpHeaders = {}): void {
  x.res.writeHead(status, { 'Content-Length': 0, ...headers });
  x.res.end();
}

export function sendText(x: Out, status: number, body: string, contentType = 'text/plain; charset=utf-8'): void {
  x.res.writeHead(status, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) });
  x.res.end(body);
}

export function sendJson(x: Out, status: number, value: unknown, headers: OutgoingHttpHeaders = {}): void {
  const body = `${JSON.stringify(value)}\n`;
  x.res.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  });
  x.res.end(body);
}

/** Node drops the body of an answer to HEAD by itself and keeps its Content-Length, as Harbor does. */
export function sendErrors(x: Out, status: number, errors: readonly ApiError[], headers: OutgoingHttpHeaders = {}): void {
  sendJson(x, status, { errors }, { ...headers, 'Content-Type': 'application/json; charset=utf-8' });
}

/** What nginx itself answers: HTML, and none of core's headers. */
export function sendNginx(x: Out, status: number, title: string, headers: OutgoingHttpHeaders = {}): void {
  x.res.removeHeader('Set-Cookie');
  x.res.removeHeader('X-Request-Id');
  const text = `${String(status)} ${title}`;
  const body = `<html>\r\n<head><title>${text}</title></head>\r\n<body>\r\n<center><h1>${text}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`;
  x.res.writeHead(status, { 'Content-Type': 'text/html', 'Content-Length': Buffer.byteLength(body), ...headers });
  x.res.end(body);
}
