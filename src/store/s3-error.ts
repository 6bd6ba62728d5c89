import { DeliverError, isDeliverError, messageOf, systemCode } from '../core/errors.ts';

const AUTH = [
  'AccessDenied',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'CredentialsProviderError',
  'Forbidden',
];
const MISSING = ['NoSuchBucket', 'NoSuchKey', 'NotFound', 'NoSuchUpload'];

/** What the library says about an answer, as far as it is needed here. */
interface Answered {
  readonly name: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

export function statusOf(error: unknown): number | undefined {
  return error instanceof Error ? (error as Error & Answered).$metadata?.httpStatusCode : undefined;
}

/** Whether the store said that there is no such object, bucket or upload. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && (MISSING.includes(error.name) || statusOf(error) === 404);
}

/** A failure of the store in words of its cause; an interruption and errors of ours pass as they are. */
export function storeError(name: string, error: unknown, signal: AbortSignal | undefined): unknown {
  if (isDeliverError(error)) return error;
  if (signal?.aborted === true) return signal.reason;
  const status = statusOf(error);
  const said = error instanceof Error ? error.name : 'Error';
  const why = [status === undefined ? systemCode(error) : `HTTP ${String(status)} ${said}`, messageOf(error)]
    .filter((part) => part !== undefined && part !== '')
    .join(': ');
  if (status === 412) {
    return new DeliverError('E_STORE', {
      what: `${name} was replaced while it was being read.`,
      fix: 'Run the same command again: it takes the new object from its beginning.',
      cause: error,
    });
  }
  if (AUTH.includes(said) || status === 401 || status === 403) {
    return new DeliverError('E_STORE_AUTH', {
      what: `${name}: the store refused the account, or there is none.`,
      why,
      cause: error,
    });
  }
  if (isMissing(error)) return new DeliverError('E_STORE_NOT_FOUND', { what: `${name} is not there.`, why, cause: error });
  return new DeliverError('E_STORE', { what: `${name}: the store failed or can’t be reached.`, why, cause: error });
}
