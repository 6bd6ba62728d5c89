import type { S3Address } from './s3-address.ts';
import { connectS3, type S3Connection } from './s3-client.ts';
import { storeError } from './s3-error.ts';

/** What every call of an adapter needs: the connection, and errors in our words. */
export interface S3Calls {
  readonly bucket: string;
  nameOf(key: string): string;
  /** Runs one call; what it throws is told with the name of the key. */
  call<T>(key: string, signal: AbortSignal | undefined, work: (connection: S3Connection) => Promise<T>): Promise<T>;
}

/**
 * Calls of one bucket; nothing is connected before the first.
 * @param stall milliseconds until an answer begins, and between two pieces of it
 */
export function s3Calls(address: S3Address, env: Readonly<Record<string, string | undefined>>, stall?: number): S3Calls {
  const { bucket } = address;
  let connection: Promise<S3Connection> | undefined;
  const nameOf = (key: string): string => `s3://${bucket}${key === '' ? '' : `/${key}`}`;
  return {
    bucket,
    nameOf,
    async call(key, signal, work) {
      signal?.throwIfAborted();
      try {
        return await work(await (connection ??= connectS3(address, env, stall)));
      } catch (error) {
        throw storeError(nameOf(key), error, signal);
      }
    },
  };
}

export function options(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}
