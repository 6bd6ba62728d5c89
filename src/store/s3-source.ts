import { DeliverError, isDeliverError } from '../core/errors.ts';
import type { ErrorCode } from '../core/error-codes.ts';
import { bareUrl } from './location.ts';
import type { ObjectStore } from './port.ts';
import { parseS3 } from './s3-address.ts';
import { createS3Store } from './s3-store.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const AS_SOURCE: Partial<Record<ErrorCode, ErrorCode>> = {
  E_STORE: 'E_SOURCE',
  E_STORE_AUTH: 'E_SOURCE_AUTH',
  E_STORE_NOT_FOUND: 'E_SOURCE_NOT_FOUND',
  E_USAGE: 'E_SOURCE',
};

/** Reads files that a release names by `s3://`. */
export class S3Source {
  readonly #env: Environment;
  /** One connection for all objects of a bucket. */
  readonly #stores = new Map<string, ObjectStore>();

  constructor(env: Environment) {
    this.#env = env;
  }

  /** @throws DeliverError E_SOURCE, E_SOURCE_AUTH, E_SOURCE_NOT_FOUND */
  async open(location: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    try {
      const { key, ...address } = parseS3(location, this.#env);
      const name = JSON.stringify(address);
      const store = this.#stores.get(name) ?? createS3Store({ ...address, key: '' }, this.#env);
      this.#stores.set(name, store);
      return told(await store.read(key, {}, signal));
    } catch (error) {
      throw asSource(location, error);
    }

    async function* told(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      try {
        yield* bytes;
      } catch (error) {
        throw asSource(location, error);
      }
    }
  }
}

function asSource(location: string, error: unknown): unknown {
  const code = isDeliverError(error) ? AS_SOURCE[error.code] : undefined;
  if (code === undefined || !isDeliverError(error)) return error;
  return new DeliverError(code, { ...error.facts, what: `${bareUrl(location)} can’t be read: ${error.facts.what}` });
}
