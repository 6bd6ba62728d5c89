import type { ObjectStore } from '../../src/store/port.ts';
import { parseS3 } from '../../src/store/s3-address.ts';
import { createS3Store } from '../../src/store/s3-store.ts';
import { startCountingProxy, type CountingProxy } from './counting-proxy.ts';
import { BUCKET, environmentFor, startMinio, type Minio } from './minio.ts';

/** A real MinIO, and before it a proxy that remembers what passed. */
export interface S3Bench {
  readonly minio: Minio;
  readonly proxy: CountingProxy;
  /** What a program needs in its environment to reach it through the proxy. */
  readonly env: Readonly<Record<string, string>>;
  /** A bucket as deliver has it, through the proxy. */
  store(bucket?: string): ObjectStore;
  stop(): Promise<void>;
}

/** This process has its account from then on. */
export async function startS3Bench(): Promise<S3Bench> {
  const minio = await startMinio();
  const proxy = await startCountingProxy(minio.url);
  Object.assign(process.env, minio.env);
  return {
    minio,
    proxy,
    env: environmentFor(proxy.url),
    store: (bucket = BUCKET) => createS3Store(parseS3(`s3://${bucket}?endpoint=${proxy.url}`, process.env), process.env),
    stop: async () => {
      await proxy.stop();
      await minio.stop();
    },
  };
}
