import { canonicalJson, type Json } from '../core/canonical-json.ts';
import type { ServeAnswer } from './port.ts';

/** Codes of the distribution-spec, with the status that goes with each here. */
const STATUS = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  PAGINATION_NUMBER_INVALID: 400,
  RANGE_INVALID: 416,
  TOOMANYREQUESTS: 429,
  UNKNOWN: 500,
  UNSUPPORTED: 405,
} as const;

type RegistryErrorCode = keyof typeof STATUS;

/** On every answer: what older docker clients look for (distribution-spec, determining support). */
const VERSION = { 'Docker-Distribution-API-Version': 'registry/2.0', 'X-Content-Type-Options': 'nosniff' };

/** An error as every registry client reads it (distribution-spec, error codes). */
export function errorAnswer(
  code: RegistryErrorCode,
  message: string,
  headers: Readonly<Record<string, string>> = {},
  status: number = STATUS[code],
): ServeAnswer {
  return jsonAnswer({ errors: [{ code, message }] }, { headers, status });
}

export function jsonAnswer(
  content: Json,
  more: { readonly headers?: Readonly<Record<string, string>>; readonly status?: number; readonly type?: string } = {},
): ServeAnswer {
  return bytesAnswer(Buffer.from(canonicalJson(content)), more.type ?? 'application/json', more.headers, more.status);
}

export function bytesAnswer(
  body: Uint8Array,
  type: string,
  headers: Readonly<Record<string, string>> = {},
  status = 200,
): ServeAnswer {
  return {
    status,
    headers: { ...VERSION, 'Content-Type': type, 'Content-Length': String(body.byteLength), ...headers },
    body,
  };
}

/** The same without its body, as HEAD wants it: all headers as GET has them. */
export function headOf({ status, headers }: ServeAnswer): ServeAnswer {
  return { status, headers };
}
