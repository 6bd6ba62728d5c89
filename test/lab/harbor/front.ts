import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { AccessLog } from './access-log.ts';
import { handleApi } from './api.ts';
import { declaredLength } from './body.ts';
import type { Exchange, Harbor } from './context.ts';
import { checkCsrf } from './csrf.ts';
import { HarborError, UpstreamDown, fail } from './errors.ts';
import { identify } from './identity.ts';
import { sendEmpty, sendErrors, sendNginx, sendText } from './reply.ts';
import { handleToken } from './token-service.ts';
import { handleV2 } from './v2.ts';

/** From here on nginx can't be relied on to deliver an answer that comes before the body was read. */
const EARLY_ANSWER_BYTES = 1_000_000;

function openExchange(harbor: Harbor, req: IncomingMessage, res: ServerResponse): Exchange {
  const [rawPath = '/', ...rest] = (req.url ?? '/').split('?');
  const rawQuery = rest.join('?');
  const encrypted = 'encrypted' in req.socket;
  const forwarded = req.headers['x-forwarded-proto'];
  return {
    harbor,
    req,
    res,
    method: req.method ?? 'GET',
    rawPath,
    rawQuery,
    query: new URLSearchParams(rawQuery),
    scheme: typeof forwarded === 'string' ? forwarded : encrypted ? 'https' : 'http',
    host: req.headers.host ?? 'localhost',
    hasAuthorization: (req.headers.authorization ?? '') !== '',
    principal: { kind: 'anonymous' },
    bytesIn: 0,
  };
}

/** What nginx answers by itself, before core sees anything. */
function nginxAnswers(x: Exchange): boolean {
  if (x.rawPath === '/v2') sendNginx(x, 301, 'Moved Permanently', { Location: `${x.scheme}://${x.host}/v2/` });
  else if (x.rawPath === '/service/notifications') sendNginx(x, 404, 'Not Found');
  else if (x.rawPath === '/') sendText(x, 200, '<!doctype html><title>Harbor</title>', 'text/html');
  else if (!/^\/(api|v2|service)\//.test(x.rawPath)) sendNginx(x, 404, 'Not Found');
  else return false;
  return true;
}

function checkReadOnly(x: Exchange): void {
  const writes = !['GET', 'HEAD', 'OPTIONS'].includes(x.method);
  if (writes && x.harbor.state.settings.readOnly && x.rawPath !== '/api/v2.0/configurations') {
    throw fail('DENIED', 'The system is in read only mode. Any modification is prohibited.');
  }
}

async function core(x: Exchange): Promise<void> {
  const requestId = x.req.headers['x-request-id'];
  x.res.setHeader('X-Request-Id', typeof requestId === 'string' && requestId !== '' ? requestId : randomUUID());
  x.res.setHeader('Set-Cookie', `sid=${randomBytes(16).toString('hex')}; Path=/; HttpOnly`);
  checkCsrf(x);
  x.principal = await identify(x);
  checkReadOnly(x);
  if (x.rawPath.startsWith('/v2/')) await handleV2(x);
  else if (x.rawPath.startsWith('/api/')) await handleApi(x);
  else if (x.rawPath === '/service/token') await handleToken(x);
  else sendNginx(x, 404, 'Not Found');
}

/**
 * The 502 trap, observed for a monolithic PUT refused by 401 or 403: core answers without reading, nginx fails to
 * write the rest, and the client mostly gets 502 HTML. A PATCH refused early is taken to do the same (inferred).
 */
function earlyAnswerIsLost(x: Exchange): boolean {
  const upload = x.rawPath.startsWith('/v2/') && (x.method === 'PUT' || x.method === 'PATCH');
  return upload && x.harbor.config.earlyPut502 && x.bytesIn === 0 && (declaredLength(x) ?? 0) >= EARLY_ANSWER_BYTES;
}

function renderFailure(x: Exchange, error: unknown): void {
  if (x.res.headersSent) x.res.destroy();
  else if (error instanceof UpstreamDown) sendEmpty(x, 502);
  else if (error instanceof HarborError && earlyAnswerIsLost(x)) sendNginx(x, 502, 'Bad Gateway');
  else if (error instanceof HarborError) sendErrors(x, error.status, error.errors, error.headers);
  else {
    process.stderr.write(`harbor front: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    sendErrors(x, 500, [{ code: 'UNKNOWN', message: 'internal server error' }]);
  }
}

export function frontFor(harbor: Harbor, log: AccessLog): RequestListener {
  return (req, res) => {
    const x = openExchange(harbor, req, res);
    res.setHeader('Server', 'nginx');
    res.once('close', () => {
      log.record(x);
    });
    if (nginxAnswers(x)) return;
    core(x).catch((error: unknown) => {
      if (req.socket.destroyed) return;
      renderFailure(x, error);
      req.resume();
    });
  };
}
