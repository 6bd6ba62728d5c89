import { DeliverError, isDeliverError } from '../core/errors.ts';
import type { ErrorCode } from '../core/error-codes.ts';
import { isPassingBreak } from '../core/passing.ts';
import { DEFAULT_RETRY } from '../core/retried.ts';
import { bareUrl } from './location.ts';
import { changed, openResumed, type FileAnswer, type Rest } from './resumed-file.ts';
import { parseS3 } from './s3-address.ts';
import { s3Calls, type S3Calls } from './s3-calls.ts';
import { statusOf, storeError } from './s3-error.ts';
import { getObject } from './s3-get.ts';
import { discard } from './web-client.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface S3SourceOptions {
  /** Milliseconds before a transfer that broke without a new byte is tried again. */
  readonly firstDelay?: number;
  /** Milliseconds until an answer begins, and between two pieces of it; a minute when absent. */
  readonly stall?: number;
}

const AS_SOURCE: Partial<Record<ErrorCode, ErrorCode>> = {
  E_STORE: 'E_SOURCE',
  E_STORE_AUTH: 'E_SOURCE_AUTH',
  E_STORE_NOT_FOUND: 'E_SOURCE_NOT_FOUND',
  E_USAGE: 'E_SOURCE',
};

/** Reads files that a release names by `s3://`. */
export class S3Source {
  readonly #env: Environment;
  readonly #options: S3SourceOptions;
  /** One connection for all objects of a bucket. */
  readonly #buckets = new Map<string, S3Calls>();

  constructor(env: Environment, options: S3SourceOptions = {}) {
    this.#env = env;
    this.#options = options;
  }

  /**
   * The content, from the first byte; a transfer that breaks in the middle is gone on with where it broke.
   * @throws DeliverError E_SOURCE, E_SOURCE_AUTH, E_SOURCE_NOT_FOUND
   */
  async open(location: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const told = (error: unknown, name: string): unknown => asSource(location, storeError(name, error, signal));
    try {
      const { key, ...address } = parseS3(location, this.#env);
      const id = JSON.stringify(address);
      const calls = this.#buckets.get(id) ?? s3Calls({ ...address, key: '' }, this.#env, this.#options.stall);
      this.#buckets.set(id, calls);
      return await openResumed({
        name: bareUrl(location),
        ask: (rest) =>
          answered(calls, key, rest, signal).catch((error: unknown) => {
            throw told(error, calls.nameOf(key));
          }),
        discard,
        isPassing: (error) => !isDeliverError(error) && isPassingBreak(error),
        explained: (error) => Promise.resolve(told(error, calls.nameOf(key))),
        firstDelay: this.#options.firstDelay ?? DEFAULT_RETRY.firstDelay,
        signal,
      });
    } catch (error) {
      throw asSource(location, error);
    }
  }
}

/** The library tries again what fails before an answer has begun. */
async function answered(
  calls: S3Calls,
  key: string,
  rest: Rest | undefined,
  signal: AbortSignal | undefined,
): Promise<FileAnswer> {
  const range = rest === undefined ? undefined : { from: rest.offset };
  try {
    const { head, body } = await getObject(calls, { key, etag: rest?.validator.text, range, isLarge: true }, signal);
    const headers: Readonly<Record<string, string | undefined>> = {
      etag: head.ETag,
      'content-length': head.ContentLength === undefined ? undefined : String(head.ContentLength),
      'content-range': head.ContentRange,
    };
    return { status: head.$metadata.httpStatusCode ?? 200, header: (name) => headers[name], body };
  } catch (error) {
    if (rest === undefined || !isDeliverError(error, 'E_STORE') || statusOf(error.cause) !== 412) throw error;
    throw changed(calls.nameOf(key), `Its ${rest.validator.title} is not ${rest.validator.text} any more.`);
  }
}

function asSource(location: string, error: unknown): unknown {
  const code = isDeliverError(error) ? AS_SOURCE[error.code] : undefined;
  if (code === undefined || !isDeliverError(error)) return error;
  return new DeliverError(code, { ...error.facts, what: `${bareUrl(location)} can’t be read: ${error.facts.what}` });
}
