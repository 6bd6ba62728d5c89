import { DeliverError } from '../core/errors.ts';
import { bareUrl } from './location.ts';

/** Where an `s3://` URL points; what it leaves out comes from the environment. */
export interface S3Address {
  readonly bucket: string;
  /** Without a slash at either end; empty for the bucket itself. */
  readonly key: string;
  /** Absent: the provider's own address for the region. */
  readonly endpoint?: string;
  readonly region?: string;
  readonly pathStyle: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

const OPTIONS = ['endpoint', 'region', 'pathStyle', 'plainHttp'];
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

export function isS3(location: string): boolean {
  return /^s3:\/\//i.test(location);
}

/**
 * `s3://bucket/key?endpoint=…&region=…&pathStyle=true`. With an endpoint of one's own the bucket stands in the path unless said
 * otherwise: names like `bucket.minio.example` seldom resolve.
 * @throws DeliverError E_USAGE
 */
export function parseS3(location: string, env: Environment): S3Address {
  const name = bareUrl(location);
  if (!URL.canParse(location)) throw bad(name, 'It is not a URL.');
  const url = new URL(location);
  if (url.username !== '' || url.password !== '') {
    throw bad(name, 'Credentials don’t belong in a URL: use AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile.');
  }
  const unknown = [...url.searchParams.keys()].find((option) => !OPTIONS.includes(option));
  if (unknown !== undefined) throw bad(name, `It has an option that deliver does not know: ${unknown}.`);
  if (url.port !== '' || !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(url.hostname))
    throw bad(name, 'The first part is not a bucket.');
  const option = (key: string): string | undefined => text(url.searchParams.get(key) ?? undefined);
  const endpoint = option('endpoint') ?? text(env['AWS_ENDPOINT_URL_S3']) ?? text(env['AWS_ENDPOINT_URL']);
  if (endpoint !== undefined) checkEndpoint(name, endpoint, option('plainHttp') === 'true');
  const region =
    option('region') ??
    text(env['AWS_REGION']) ??
    text(env['AWS_DEFAULT_REGION']) ??
    (endpoint === undefined ? undefined : 'us-east-1');
  const asked = option('pathStyle');
  return {
    bucket: url.hostname,
    key: keyOf(name, url.pathname),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    pathStyle: asked === undefined ? endpoint !== undefined : asked === 'true',
  };
}

function keyOf(name: string, path: string): string {
  try {
    return decodeURIComponent(path).replace(/^\/+|\/+$/g, '');
  } catch {
    throw bad(name, 'A % in it is not followed by two hexadecimal digits; write it as %25.');
  }
}

function checkEndpoint(name: string, endpoint: string, plainHttp: boolean): void {
  if (!URL.canParse(endpoint)) throw bad(name, 'Its endpoint is not a URL; write it with https://.');
  const { protocol, hostname, username, password } = new URL(endpoint);
  if (username !== '' || password !== '') throw bad(name, 'Credentials don’t belong in the endpoint.');
  if (protocol === 'https:') return;
  if (protocol !== 'http:') throw bad(name, `Its endpoint is ${protocol}//, which is no way to reach S3.`);
  if (plainHttp || LOOPBACK.test(hostname)) return;
  throw bad(
    name,
    `The endpoint ${bareUrl(endpoint)} is not encrypted.`,
    'Use https://, or say &plainHttp=true if that is meant.',
  );
}

function bad(name: string, why: string, fix = 'Write s3://BUCKET/KEY?endpoint=https://HOST&region=REGION.'): DeliverError {
  return new DeliverError('E_USAGE', { what: `${name} can’t be used.`, why, fix });
}

function text(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
