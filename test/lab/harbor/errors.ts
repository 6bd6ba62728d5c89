/** Harbor's error codes and their HTTP statuses [src lib/errors/const.go, lib/http/error.go]. */
const STATUS: Readonly<Record<string, number>> = {
  BAD_REQUEST: 400,
  DIGEST_INVALID: 400,
  MANIFEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 400,
  UNSUPPORTED: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  DENIED: 403,
  NOT_FOUND: 404,
  MANIFEST_UNKNOWN: 404,
  METHOD_NOT_ALLOWED: 405,
  CONFLICT: 409,
  PRECONDITION: 412,
  PROJECTPOLICYVIOLATION: 412,
  VIOLATE_FOREIGN_KEY_CONSTRAINT: 412,
  REQUEST_ENTITY_TOO_LARGE: 413,
  UNPROCESSABLE_ENTITY: 422,
  UNKNOWN: 500,
};

export interface ApiError {
  code: string;
  message: string;
  detail?: unknown;
}

/** Thrown anywhere below the front; rendered as `{"errors":[…]}` in one place. */
export class HarborError extends Error {
  readonly status: number;
  readonly errors: readonly ApiError[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(errors: ApiError | readonly ApiError[], headers: Readonly<Record<string, string>> = {}) {
    const list = Array.isArray(errors) ? (errors as readonly ApiError[]) : [errors as ApiError];
    const first = list[0] ?? { code: 'UNKNOWN', message: 'unknown error' };
    super(`${first.code}: ${first.message}`);
    this.status = STATUS[first.code] ?? 500;
    this.errors = list;
    this.headers = headers;
  }
}

export const fail = (code: string, message: string, detail?: unknown): HarborError =>
  new HarborError(detail === undefined ? { code, message } : { code, message, detail });

export const unauthorized = (): HarborError => fail('UNAUTHORIZED', 'unauthorized');
export const forbidden = (message = 'forbidden'): HarborError => fail('FORBIDDEN', message);
export const notFound = (message: string): HarborError => fail('NOT_FOUND', message);
export const badRequest = (message: string): HarborError => fail('BAD_REQUEST', message);

/** The registry behind core can't be reached: core's proxy answers 502 with an empty body. */
export class UpstreamDown extends Error {}
