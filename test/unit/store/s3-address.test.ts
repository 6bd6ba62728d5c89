import { describe, expect, it } from 'vitest';
import { parseS3 } from '../../../src/store/s3-address.ts';

describe('an s3:// address', () => {
  it('takes its endpoint and region from the environment, or its own', () => {
    const env = { AWS_ENDPOINT_URL: 'https://one.example', AWS_ENDPOINT_URL_S3: 'https://s3.example', AWS_REGION: 'eu-west-1' };
    expect(parseS3('s3://releases/a/b/', env)).toEqual({
      bucket: 'releases',
      key: 'a/b',
      endpoint: 'https://s3.example',
      region: 'eu-west-1',
      pathStyle: true,
    });
    expect(parseS3('s3://releases?endpoint=https://own.example&region=here&pathStyle=false', env)).toMatchObject({
      key: '',
      endpoint: 'https://own.example',
      region: 'here',
      pathStyle: false,
    });
    expect(parseS3('s3://releases/k', {})).toEqual({ bucket: 'releases', key: 'k', pathStyle: false });
    expect(parseS3('s3://releases/k', { AWS_ENDPOINT_URL: 'http://127.0.0.1:9000' })).toMatchObject({ region: 'us-east-1' });
  });

  it.each([
    ['s3://me:hunter22@releases/k', 'Credentials'],
    ['s3://releases/k?endpoint=https://me:hunter22@x', 'Credentials'],
    ['s3://releases/k?endpoint=http://minio.example:9000', 'not encrypted'],
    ['s3://releases/k?endpoint=ftp://x', 'no way to reach S3'],
    ['s3://releases/k?endpiont=hunter22', 'endpiont'],
    ['s3://Up_per/k', 'bucket'],
    ['s3://releases:9000/k', 'bucket'],
    ['s3://releases/100%', '%25'],
  ])('is refused for %s without showing what is secret in it', (location, why) => {
    let error: unknown;
    try {
      parseS3(location, {});
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toThrowWithCode('E_USAGE', why);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('hunter22');
  });

  it('may be without encryption where that is said, and on loopback', () => {
    for (const endpoint of ['http://localhost:9000', 'http://127.0.0.1:9000', 'http://[::1]:9000']) {
      expect(parseS3(`s3://releases?endpoint=${endpoint}`, {}).endpoint).toBe(endpoint);
    }
    expect(parseS3('s3://releases?plainHttp=true&endpoint=http://minio:9000', {}).endpoint).toBe('http://minio:9000');
  });
});
