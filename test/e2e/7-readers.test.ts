import { execFile } from 'node:child_process';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { pickImages } from '../bench/pick-image.ts';
import { readLab, type Lab } from './support/lab.ts';
import { packSample, signingKey } from './support/releases.ts';

const run = promisify(execFile);
const REFERENCES = ['dockerhub.kubekey.local/project/gatekeeper:v362', 'docker.io/library/busybox:1.36'] as const;

describe('other people’s tools read a bundle', () => {
  let lab: Lab;
  let bundle: string;
  let layout: string;

  beforeAll(async () => {
    lab = readLab();
    const folder = await mkdtemp(path.join(tmpdir(), 'deliver-e2e-'));
    bundle = (await packSample(folder, await signingKey(folder), '3.6.2')).bundle;
    layout = path.join(folder, 'all');
    await mkdir(layout);
    await run('tar', ['-xf', bundle, '-C', layout]);
  }, 600_000);

  /** The digest that the source registry serves for linux/amd64. */
  const sourceDigest = async (reference: string): Promise<string> => {
    const { stdout } = await run(lab.bin.crane, [
      'digest',
      '--insecure',
      '--platform',
      'linux/amd64',
      `${lab.upstream.registry}/${reference}`,
    ]);
    return stdout.trim();
  };

  it.each(REFERENCES)('skopeo inspects %s in the tar itself, with the digest of the source registry', async (reference) => {
    const { stdout } = await run(lab.bin.skopeo, ['inspect', `oci-archive:${bundle}:${reference}`]);
    expect((JSON.parse(stdout) as { Digest: string }).Digest).toBe(await sourceDigest(reference));
  });

  it.each(REFERENCES)('skopeo copies %s out of the tar', async (reference) => {
    const target = path.join(await mkdtemp(path.join(tmpdir(), 'deliver-e2e-')), 'copy');
    await run(lab.bin.skopeo, [
      'copy',
      '-q',
      '--insecure-policy',
      '--preserve-digests',
      `oci-archive:${bundle}:${reference}`,
      `dir:${target}`,
    ]);
    const { stdout } = await run('sha256sum', [path.join(target, 'manifest.json')]);
    expect(`sha256:${stdout.slice(0, 64)}`).toBe(await sourceDigest(reference));
  });

  it.each(REFERENCES)('regctl reads %s from the unpacked layout', async (reference) => {
    const digest = await sourceDigest(reference);
    const { stdout } = await run(lab.bin.regctl, ['manifest', 'get', '--format', 'raw-body', `ocidir://${layout}@${digest}`]);
    expect(stdout).toContain('"layers"');
  });

  it('crane pushes an image out of the unpacked layout', async () => {
    const work = path.dirname(layout);
    await pickImages(bundle, [REFERENCES[0]], work);
    const target = `${lab.upstream.registry}/readers/gatekeeper:v362`;
    const { stdout } = await run(lab.bin.crane, ['push', '--insecure', path.join(work, 'one-0'), target]);
    expect(stdout).toContain(await sourceDigest(REFERENCES[0]));
  });

  it('ssh-keygen accepts the signature, with nothing of ours installed', async () => {
    const folder = path.dirname(bundle);
    const script = `
      cd ${folder}; root=$(grep -ao '"artifactType":"application/vnd.deliver.release.v1+json"[^}]*' all/index.json | grep -o 'sha256:[0-9a-f]*' | head -1)
      sig=$(grep -l 'BEGIN SSH SIGNATURE' all/blobs/sha256/* | head -1)
      printf 'release@corp %s\\n' "$(cut -d' ' -f1,2 release-key.pub)" > allowed
      ssh-keygen -Y verify -f allowed -I release@corp -n deliver -s "$sig" < all/blobs/sha256/\${root#sha256:}`;
    const { stdout } = await run('sh', ['-ec', script]);
    expect(stdout).toContain('Good "deliver" signature');
  });
});
