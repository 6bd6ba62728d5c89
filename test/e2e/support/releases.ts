import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { onConnectedSide, REPOSITORY } from './deliver.ts';

export interface PackedRelease {
  readonly manifest: string;
  readonly bundle: string;
}

export interface SigningKey {
  readonly file: string;
  /** The line for `trust:`. */
  readonly publicKey: string;
}

/** An ed25519 key of the packager, made by ssh-keygen. */
export async function signingKey(folder: string): Promise<SigningKey> {
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, 'release-key');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'release@corp', '-f', file]);
  return { file, publicKey: (await readFile(`${file}.pub`, 'utf8')).trim() };
}

/** Packs the sample release, changed by `edit`, as that version; throws with what was printed when it fails. */
export async function packSample(
  folder: string,
  key: SigningKey,
  version: string,
  edit: (text: string) => string = (text) => text,
): Promise<PackedRelease> {
  const manifests = path.join(folder, `manifests-${version}`);
  await cp(path.join(REPOSITORY, 'manifests'), manifests, { recursive: true });
  const manifest = path.join(manifests, 'gatekeeper-suite.yaml');
  await writeFile(manifest, edit((await readFile(manifest, 'utf8')).replace('version: 3.6.2', `version: ${version}`)));
  const outcome = await onConnectedSide(['pack', manifest, '--output', folder, '--sign-key', key.file]);
  if (outcome.code !== 0) throw new Error(outcome.text);
  return { manifest, bundle: path.join(folder, `gatekeeper-suite-${version}.tar`) };
}

/** The sample with the image of the version before. */
export function withOlderImage(text: string): string {
  return text.replace('gatekeeper: v362', 'gatekeeper: v361');
}

/** A release of nothing but images from the upstream registry: `names` are repositories with a tag. */
export async function writeImageRelease(
  folder: string,
  name: string,
  registry: string,
  names: readonly string[],
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, `${name}.yaml`);
  const images = names.map((image) => `  - bench.example/${image}`).join('\n');
  await writeFile(
    file,
    `apiVersion: deliver/v1\nkind: Release\nmetadata: { name: ${name}, version: "1" }\nplatforms: [linux/amd64]\nsources:\n  registries:\n    bench.example: { mirror: "${registry}" }\nimages:\n${images}\n`,
  );
  return file;
}
