import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import { gather } from '../../src/lock/small-blob.ts';
import { createFileSource } from '../../src/store/file-source.ts';
import { parseS3 } from '../../src/store/s3-address.ts';
import { createS3Store } from '../../src/store/s3-store.ts';
import { describeUnless } from '../support/describe-unless.ts';
import { folderWith } from '../support/files.ts';
import { hasCommand } from '../support/has-command.ts';
import { noise } from '../support/images.ts';
import { BUCKET, noMinio, startMinio, type Minio } from '../support/minio.ts';

const bytes = noise(300_000, 's3 source');

async function started(certificates?: string): Promise<Minio> {
  const minio = await startMinio(certificates);
  onTestFinished(() => minio.stop());
  Object.assign(process.env, minio.env);
  return minio;
}

describeUnless(noMinio, 'files from S3', () => {
  it('are measured and read whole, and named when they are not there', async () => {
    const { url } = await started();
    const store = createS3Store(parseS3(`s3://${BUCKET}`, process.env), process.env);
    await store.put('docs/a b+ü.pdf', bytes);
    const files = createFileSource();
    const location = `s3://${BUCKET}/docs/a%20b%2B%C3%BC.pdf?endpoint=${url}`;
    expect(await files.measure(location)).toEqual({ digest: digestOf(bytes), size: bytes.byteLength });
    expect((await gather(await files.open(location))).equals(bytes)).toBe(true);
    await expect(files.open(`s3://${BUCKET}/none?endpoint=${url}`)).rejects.toThrowWithCode('E_SOURCE_NOT_FOUND', 'none');
  });

  it('are refused to a wrong account, which no message shows', async () => {
    const { url } = await started();
    const key = process.env['AWS_SECRET_ACCESS_KEY'];
    onTestFinished(() => void (process.env['AWS_SECRET_ACCESS_KEY'] = key));
    process.env['AWS_SECRET_ACCESS_KEY'] = 'hunter22hunter22';
    const error: unknown = await createFileSource()
      .open(`s3://${BUCKET}/k?endpoint=${url}`)
      .catch((thrown: unknown) => thrown);
    expect(error).toThrowWithCode('E_SOURCE_AUTH');
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('hunter22');
  });

  it.skipIf(!hasCommand('openssl'))('come over TLS from a store whose authority AWS_CA_BUNDLE names, and only then', async () => {
    const folder = await folderWith();
    const [key, certificate] = [join(folder, 'private.key'), join(folder, 'public.crt')];
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    execFileSync('openssl', ['req', '-x509', '-nodes', ...curve, ...subject, '-keyout', key, '-out', certificate], {
      stdio: 'ignore',
    });
    await started(folder);
    const address = parseS3(`s3://${BUCKET}`, process.env);
    await createS3Store(address, { ...process.env, AWS_CA_BUNDLE: certificate }).put('k', bytes);
    const stranger = createS3Store(address, { ...process.env, AWS_CA_BUNDLE: '' });
    await expect(stranger.put('k', bytes)).rejects.toThrowWithCode('E_STORE', 'self-signed');
  });
});
