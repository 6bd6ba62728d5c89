import { lstat, mkdir, open, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DeliverError, messageOf } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';
import { movedPath, releaseText, secretsText, siteText } from '../manifest/kubekey/text.ts';
import { releaseOfManifest } from '../manifest/kubekey/release.ts';
import { siteOfCluster } from '../manifest/kubekey/site.ts';
import { openAnyDocument, type OpenedDocument } from '../manifest/manifest-document.ts';

export interface ImportInput {
  readonly path: string;
  /** Folder to write into. */
  readonly output: string;
  /** Folder of the JSON Schemas, for editors. */
  readonly schemas: string;
}

interface WrittenFile {
  readonly path: string;
  readonly holds: 'release' | 'site' | 'secrets';
}

export interface ImportResult {
  readonly files: readonly WrittenFile[];
  /** `file:line:col  path: message` */
  readonly notes: readonly string[];
}

interface NewFile extends WrittenFile {
  readonly text: string;
}

/**
 * Writes a file of KubeKey as ours: a Manifest as a release, a Cluster as a site and its passwords as a file that only the
 * owner may read. Nothing that is there is ever overwritten.
 * @throws DeliverError E_OUTPUT, and whatever is wrong with the file
 */
export async function importKubeKey(input: ImportInput): Promise<ImportResult> {
  const opened = await openAnyDocument(input.path, 'KubeKey file');
  if (opened.kubeKey === undefined) throw notKubeKey(opened);
  const { files, notes } = opened.kubeKey === 'Manifest' ? importManifest(opened, input) : importCluster(opened, input);
  await refuseExisting(files);
  const written: string[] = [];
  try {
    await mkdir(input.output, { recursive: true });
    for (const { path, text, holds } of files) {
      await writeNew(path, text, holds === 'secrets' ? 0o600 : 0o644);
      written.push(path);
    }
  } catch (error) {
    await Promise.all(written.map((path) => rm(path, { force: true })));
    throw error instanceof DeliverError ? error : notWritten(input.output, messageOf(error), error);
  }
  return { files: files.map(({ path, holds }) => ({ path, holds })), notes };
}

interface Imported {
  readonly files: readonly NewFile[];
  readonly notes: readonly string[];
}

function importManifest({ path, folder, raw, positionOf }: OpenedDocument, { output, schemas }: ImportInput): Imported {
  const { release, notes, accounts } = releaseOfManifest(path, raw, positionOf);
  const text = releaseText(release, { folder: resolve(output), schemas, path: movedPath(folder, resolve(output)) });
  const logins = [...accounts.keys()].map(
    (host) => `${positionOf(['spec', 'registry', 'auths', host])}  the account of ${host} is not written: docker login ${host}`,
  );
  return {
    files: [{ path: join(output, `${release.metadata.name}.yaml`), holds: 'release', text }],
    notes: [...notes, ...logins],
  };
}

function importCluster({ path, folder, raw, positionOf }: OpenedDocument, { output, schemas }: ImportInput): Imported {
  const { site, notes, inlineSecrets, kubernetesVersion } = siteOfCluster(path, raw, positionOf);
  const { name } = site.metadata;
  const secretsFile = `${name}.secrets.yaml`;
  const full = inlineSecrets.size === 0 ? site : { ...site, secrets: `./${secretsFile}` };
  const text = siteText(full, { folder: resolve(output), schemas, path: movedPath(folder, resolve(output)) });
  return {
    files: [
      ...secretFiles(join(output, secretsFile), inlineSecrets),
      { path: join(output, `${name}.site.yaml`), holds: 'site', text },
    ],
    notes: [...notes, ...(kubernetesVersion === undefined ? [] : [versionLost(kubernetesVersion, positionOf)])],
  };
}

/** Our site files name no version, so what the KubeKey file would have refused is taken. */
function versionLost(version: string, positionOf: OpenedDocument['positionOf']): string {
  return `${positionOf(['spec', 'kubernetes', 'version'])}  spec.kubernetes.version: ${version} is not written: with the site file any release’s version is taken`;
}

function secretFiles(path: string, secrets: ReadonlyMap<string, Secret>): NewFile[] {
  return secrets.size === 0 ? [] : [{ path, holds: 'secrets', text: secretsText(secrets) }];
}

async function refuseExisting(files: readonly NewFile[]): Promise<void> {
  for (const { path } of files) {
    const isThere = await lstat(path).then(
      () => true,
      () => false,
    );
    if (isThere) throw notWritten(path, 'It is there already, and what a person may have edited is never overwritten.');
  }
}

async function writeNew(path: string, text: string, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode).catch((cause: unknown) => {
    throw notWritten(path, messageOf(cause), cause);
  });
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}

function notWritten(path: string, why: string, cause?: unknown): DeliverError {
  return new DeliverError('E_OUTPUT', {
    what: `${path} can’t be written.`,
    why,
    fix: 'Give another folder with --output.',
    state: 'Nothing was written.',
    ...(cause === undefined ? {} : { cause }),
  });
}

function notKubeKey({ path, raw, positionOf }: OpenedDocument): DeliverError {
  return new DeliverError('E_SCHEMA', {
    what: `${path} is not a file of KubeKey.`,
    why: 'Its apiVersion does not begin with kubekey.kubesphere.io/.',
    details: [`${positionOf(['apiVersion'])}  apiVersion: ${String(raw.apiVersion)}`],
    ...(raw.apiVersion === 'deliver/v1' ? { fix: 'It is a file of deliver: use it as it is.' } : {}),
  });
}
