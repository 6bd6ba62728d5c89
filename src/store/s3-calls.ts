import type { S3Connection } from './s3-client.ts';

/** What every call of an adapter needs: the connection, and errors in our words. */
export interface S3Calls {
  readonly bucket: string;
  nameOf(key: string): string;
  /** Runs one call; what it throws is told with the name of the key. */
  call<T>(key: string, signal: AbortSignal | undefined, work: (connection: S3Connection) => Promise<T>): Promise<T>;
}

export function options(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}
