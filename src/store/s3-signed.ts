import type { S3Client } from '@aws-sdk/client-s3';

/** A checksum that is known before a body is sent, base64. */
const CHECKSUM = 'x-amz-checksum-sha256';
/** What the signature covers the body by, hexadecimal. */
const SIGNED = 'x-amz-content-sha256';

/** Signs bodies by the SHA-256 that is sent with them anyway: the library would hash every byte again. */
export function signByChecksum(client: S3Client): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const { request } = args;
      const checksum = isPut(request) ? request.headers[CHECKSUM] : undefined;
      if (isPut(request) && checksum !== undefined) request.headers[SIGNED] = Buffer.from(checksum, 'base64').toString('hex');
      return next(args);
    },
    { step: 'build', priority: 'low', name: 'signByChecksum' },
  );
}

function isPut(request: unknown): request is { readonly method: 'PUT'; readonly headers: Record<string, string> } {
  return typeof request === 'object' && request !== null && 'method' in request && request.method === 'PUT';
}
