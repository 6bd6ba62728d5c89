import pRetry from 'p-retry';
import { Agent } from 'undici';
import { DeliverError, isDeliverError, messageOf, systemCode } from '../core/errors.ts';
import type { Dial } from '../ssh/port.ts';
import { isBadPatch } from './api-status.ts';
import { pause } from './pause.ts';
import type { KubeEndpoint } from './kubeconfig.ts';
import { tunnelConnector } from './tunnel.ts';

export interface KubeRequest {
  readonly method: 'GET' | 'PATCH' | 'DELETE';
  /** Path and query below the server's address. */
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface KubeAnswer {
  readonly status: number;
  /** Parsed JSON, or the text when it is not JSON. */
  readonly body: unknown;
}

export interface TransportOptions {
  /** Reaches the API server through a tunnel. */
  readonly dial?: Dial | undefined;
  /** Milliseconds for which a request is tried again while the API server is away; 30 000 when absent. */
  readonly patience?: number | undefined;
}

const CONNECT_TIMEOUT = 10_000;
const ANSWER_TIMEOUT = 30_000;
/** A server that never answered is more likely the wrong address than one that restarts. */
const FIRST_PATIENCE = 4_000;
/** RBAC rules and token keys load a moment after a restarted API server begins to answer. */
const SETTLING = 10_000;

/** Something that is likely to pass: the API server restarts, or is too busy. */
class Outage extends Error {
  readonly answer: KubeAnswer | undefined;
  /** Milliseconds that the server asked to wait. */
  readonly wait: number;
  /** It answers, and says itself that it is not ready yet. */
  readonly starting: boolean;

  constructor(cause: unknown, answer?: KubeAnswer, wait = 0, starting = false) {
    super(messageOf(cause), { cause });
    this.answer = answer;
    this.wait = wait;
    this.starting = starting;
  }
}

/** Requests to one API server over kept connections; those that fail in passing are repeated for a bounded time. */
export class KubeTransport {
  readonly #endpoint: KubeEndpoint;
  readonly #agent: Agent;
  readonly #patience: number;
  readonly #base: string;
  #answered = false;
  #lastOutage = -Infinity;
  #refusedSince: number | undefined;

  constructor(endpoint: KubeEndpoint, options: TransportOptions = {}) {
    this.#endpoint = endpoint;
    this.#patience = options.patience ?? 30_000;
    this.#base = endpoint.server.pathname.replace(/\/$/, '');
    this.#agent = new Agent({
      connect:
        options.dial === undefined ? { ...endpoint.tls, timeout: CONNECT_TIMEOUT } : tunnelConnector(endpoint, options.dial),
      headersTimeout: ANSWER_TIMEOUT,
      bodyTimeout: ANSWER_TIMEOUT,
      connections: 8,
      allowH2: false,
    });
  }

  /** Any answer of the server below 500, 429 aside. @throws DeliverError E_CLUSTER, or the reason of the signal */
  async request(request: KubeRequest): Promise<KubeAnswer> {
    request.signal?.throwIfAborted();
    const began = performance.now();
    try {
      return await pRetry(() => this.#attempt(request), {
        retries: 1000,
        minTimeout: 200,
        maxTimeout: 2_000,
        factor: 1.6,
        maxRetryTime: this.#patience,
        ...(request.signal === undefined ? {} : { signal: request.signal }),
        shouldRetry: ({ error }) =>
          error instanceof Outage && (error.starting || this.#answered || performance.now() - began < FIRST_PATIENCE),
        onFailedAttempt: async ({ error }) => {
          if (error instanceof Outage && error.wait > 0) await pause(error.wait, request.signal);
        },
      });
    } catch (error) {
      request.signal?.throwIfAborted();
      if (error instanceof Outage && error.answer !== undefined) return error.answer;
      throw isDeliverError(error) ? error : this.#unreachable(error);
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #attempt(request: KubeRequest): Promise<KubeAnswer> {
    const headers = await this.#endpoint.headers();
    try {
      const answer = await this.#agent.request({
        origin: this.#endpoint.server.origin,
        path: this.#base + request.path,
        method: request.method,
        headers: {
          ...headers,
          accept: 'application/json',
          'user-agent': 'deliver',
          ...(request.contentType === undefined ? {} : { 'content-type': request.contentType }),
        },
        body: request.body ?? null,
        signal: request.signal ?? null,
      });
      const read = { status: answer.statusCode, body: parseBody(await answer.body.text()) };
      if (!this.#answered && isRefusal(read)) await this.#lookWhetherStarting(read, headers, request.signal);
      return this.#judge(read, Number(answer.headers['retry-after']));
    } catch (error) {
      if (error instanceof Outage) throw error;
      request.signal?.throwIfAborted();
      if (isDeliverError(error) && error.code !== 'E_SSH') throw error;
      if (!isPassing(error)) throw this.#unreachable(error);
      this.#lastOutage = performance.now();
      throw new Outage(error);
    }
  }

  /**
   * A server that has not loaded its rules yet refuses what everybody may ask (system:public-info-viewer). Whom it does not know
   * it refuses there too, however long one waits: then it is asked as nobody.
   */
  async #lookWhetherStarting(
    refusal: KubeAnswer,
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const unknown = refusal.status === 401;
    const answer = await this.#agent.request({
      origin: this.#endpoint.server.origin,
      path: `${this.#base}/readyz`,
      method: 'GET',
      headers: unknown ? {} : headers,
      signal: signal ?? null,
    });
    await answer.body.dump();
    // 401: nobody may ask there, or the connection's own certificate is the one that is refused. The refusal is the answer.
    if (answer.statusCode === 200 || answer.statusCode === 401) return;
    const now = performance.now();
    this.#refusedSince ??= now;
    // Some sites forbid nobody to ask for good: that is not waited for any longer than rules take to load.
    const since = unknown && answer.statusCode === 403 ? this.#refusedSince : now;
    this.#lastOutage = Math.max(this.#lastOutage, since);
  }

  #judge(answer: KubeAnswer, retryAfter: number): KubeAnswer {
    const { status } = answer;
    if (status === 500 && isBadPatch(answer.body)) return answer;
    const settling = isRefusal(answer) && performance.now() - this.#lastOutage < SETTLING;
    if (status === 429 || status >= 500 || settling) {
      if (status >= 500) this.#lastOutage = performance.now();
      throw new Outage(
        `HTTP ${String(status)}`,
        answer,
        Number.isFinite(retryAfter) ? Math.min(retryAfter, 5) * 1000 : 0,
        settling,
      );
    }
    this.#answered = true;
    return answer;
  }

  #unreachable(error: unknown): DeliverError {
    const { host } = this.#endpoint.server;
    const code = systemCode(error) ?? '';
    const untrusted = /CERT|SELF_SIGNED|ALTNAME|UNABLE_TO/.test(code);
    return new DeliverError('E_CLUSTER', {
      what: untrusted ? `The API server at ${host} can’t be trusted.` : `The API server at ${host} does not answer.`,
      why: whyOf(error),
      fix: untrusted
        ? 'Check certificate-authority-data and tls-server-name in the kubeconfig: the certificate must be for that name and from that CA.'
        : 'Check the address in the kubeconfig (and cluster.via in the site file) and that the API server runs; then run the same command again.',
      state: this.#answered
        ? 'The connection was lost on the way: what was applied so far stays, and the same command goes on from there.'
        : 'The cluster was not changed.',
      cause: error,
    });
  }
}

function isRefusal({ status }: KubeAnswer): boolean {
  return status === 401 || status === 403;
}

const PASSING = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN'],
  ...['UND_ERR_SOCKET', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'],
]);

function isPassing(error: unknown): boolean {
  if (isDeliverError(error, 'E_SSH')) return true;
  return PASSING.has(systemCode(error) ?? '') || messageOf(error).includes('socket disconnected before secure TLS');
}

function whyOf(error: unknown): string {
  const inner = error instanceof Outage ? error.cause : error;
  if (isDeliverError(inner)) return [inner.facts.what, inner.facts.why].filter((line) => line !== undefined).join(' ');
  return messageOf(inner);
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
