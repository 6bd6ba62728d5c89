import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { rootCertificates } from 'node:tls';
import type * as Library from '@aws-sdk/client-s3';
import { DeliverError, messageOf } from '../core/errors.ts';
import { Receiver } from './receiver.ts';
import type { S3Address } from './s3-address.ts';
import { signByChecksum } from './s3-signed.ts';

/** A connection to one store, with the library that speaks to it. */
export interface S3Connection {
  readonly client: Library.S3Client;
  readonly s3: typeof Library;
  /** For objects that are large. */
  readonly receiver: Receiver;
}

const CONNECT_TIMEOUT = 15_000;
/** Until the answer begins, and between two pieces of it. */
const STALL = 60_000;
const SOCKETS = 32;

/**
 * Connects as an address says; credentials come from where every S3 tool looks (environment, shared files, the machine's role).
 * The library takes a third of a second to load, so it is loaded here and not before.
 * @throws DeliverError E_FILE_UNREADABLE when AWS_CA_BUNDLE can't be read
 */
export async function connectS3(
  address: S3Address,
  env: Readonly<Record<string, string | undefined>>,
  stall = STALL,
): Promise<S3Connection> {
  const own = await certificate(env['AWS_CA_BUNDLE']);
  const ca = own === undefined ? undefined : [...rootCertificates, own];
  const s3 = await import('@aws-sdk/client-s3');
  const keep = { keepAlive: true, maxSockets: SOCKETS };
  const client = new s3.S3Client({
    ...(address.endpoint === undefined ? {} : { endpoint: address.endpoint }),
    ...(address.region === undefined ? {} : { region: address.region }),
    forcePathStyle: address.pathStyle,
    // Other checksums than ours are sent only where S3 demands them: many stores do not know them.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 5,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT,
      socketTimeout: stall,
      httpAgent: new HttpAgent(keep),
      httpsAgent: new HttpsAgent({ ...keep, ...(ca === undefined ? {} : { ca }) }),
    },
  });
  signByChecksum(client);
  return { client, s3, receiver: new Receiver(own, stall) };
}

async function certificate(path: string | undefined): Promise<string | undefined> {
  if (path === undefined || path === '') return undefined;
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new DeliverError('E_FILE_UNREADABLE', {
      what: `The certificate authority of AWS_CA_BUNDLE can’t be read: ${path}`,
      why: messageOf(error),
      cause: error,
    });
  });
}
