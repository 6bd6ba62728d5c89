import { join, resolve } from 'node:path';
import envPaths from 'env-paths';
import { loadTrustPolicy } from '../bundle/signature/load-trusted-keys.ts';
import { openBundle } from '../bundle/open-bundle.ts';
import { judgeTrust } from '../bundle/signature/trust.ts';
import { DeliverError } from '../core/errors.ts';
import type { Flow } from '../core/report.ts';
import { readCa } from '../manifest/read-ca.ts';
import { readText } from '../manifest/read-text.ts';
import { packFlow, type PackResult, type PackVolumes } from '../flows/pack.ts';
import { bucketOutput, type BucketPlace } from '../flows/pack-output.ts';
import { pushFlow } from '../flows/push.ts';
import { resolveFlow, type ResolveFlowPorts, type ResolveResult } from '../flows/resolve.ts';
import { trustText } from '../flows/verify.ts';
import type { PushResult } from '../registry/push-content.ts';
import { DockerAccounts } from '../registry/docker-config.ts';
import { createImageSource } from '../registry/image-source.ts';
import { openSiteRegistry } from '../registry/site-registry.ts';
import { createFileSource } from '../store/file-source.ts';
import { Netrc } from '../store/netrc.ts';
import { isS3, parseS3 } from '../store/s3-address.ts';
import { createS3Store } from '../store/s3-store.ts';
import { signingPorts } from './compose-signing.ts';
import { readPassword } from './read-password.ts';

// Where adapters meet flows, for the verbs that need the network but no site. Imported only when a command runs.

export interface PushFlags {
  readonly to: string;
  readonly username?: string | undefined;
  readonly 'password-stdin': boolean;
  readonly ca?: string | undefined;
  readonly 'plain-http': boolean;
  readonly trust?: readonly string[] | undefined;
  readonly threshold: number;
  readonly 'allow-unsigned': boolean;
}

export interface PackWish {
  readonly release: string;
  readonly output: string;
  readonly signKeys: readonly string[];
  readonly since?: string | undefined;
  readonly reuse?: readonly string[] | undefined;
  /** A carry set is wanted instead of one file. */
  readonly volumes?: PackVolumes | undefined;
}

export function composeResolve({ release, check }: { readonly release: string; readonly check: boolean }): Flow<ResolveResult> {
  return resolveFlow({ releasePath: release, check }, connectedSide());
}

/** Asks for the passphrases of the keys before anything is drawn. @throws DeliverError E_SIGN_KEY, E_NOT_YET, E_USAGE */
export async function composePack({ release, output, signKeys, since, reuse, volumes }: PackWish): Promise<Flow<PackResult>> {
  const toBucket = isS3(output);
  if (toBucket) refuseWithBucket(reuse ?? [], volumes !== undefined);
  const bucket = toBucket ? bucketOutput(bucketPlace(output)) : undefined;
  const signing = await signingPorts(signKeys);
  return packFlow(
    {
      releasePath: release,
      outputFolder: toBucket ? 'bundles' : output,
      reuse: reuse ?? [],
      signKeyPaths: signKeys,
      ...(since === undefined ? {} : { since }),
      ...(volumes === undefined ? {} : { volumes }),
    },
    { ...connectedSide(), ...signing, ...(bucket === undefined ? {} : { output: bucket }) },
  );
}

function bucketPlace(output: string): BucketPlace {
  const address = parseS3(output, process.env);
  const journals = join(
    envPaths('deliver', { suffix: '' }).log,
    'uploads',
    address.endpoint?.replace(/[^a-z0-9.-]+/gi, '_') ?? 's3',
  );
  return { store: createS3Store(address, process.env), prefix: address.key, journals };
}

function refuseWithBucket(reuse: readonly string[], volumes: boolean): void {
  if (!volumes && reuse.length === 0) return;
  const asked = volumes ? 'Volumes are written in place' : 'Blobs are copied from earlier bundles into a bundle';
  throw new DeliverError('E_NOT_YET', {
    what: `deliver pack can’t ${volumes ? 'write volumes' : 'reuse bundles'} on the way to a bucket yet.`,
    why: `${asked}, as files here; --output is an s3:// address.`,
    fix: 'Pack into a folder, then send it: deliver publish BUNDLE|FOLDER s3://…',
    state: 'Nothing was fetched or written.',
  });
}

/** @throws DeliverError E_USAGE, E_FILE_NOT_FOUND */
export async function composePush({
  bundle,
  flags,
}: {
  readonly bundle: string;
  readonly flags: PushFlags;
}): Promise<Flow<PushResult>> {
  const trusted = await loadTrustPolicy(flags.trust ?? [], flags.threshold);
  const ca = flags.ca === undefined ? undefined : await readText(flags.ca, 'The certificate authority');
  const given = await accountOf(flags);
  const docker = new DockerAccounts(process.env);
  return pushFlow(
    { bundlePath: bundle, to: flags.to },
    {
      openBundle,
      checkTrust: (opened) => trustText(judgeTrust(opened, trusted, { allowUnsigned: flags['allow-unsigned'] })),
      openRegistry: (host) =>
        openSiteRegistry({
          host,
          account: given ?? (() => docker.find(host)),
          proxyEnv: process.env,
          ...(flags['plain-http'] ? { plainHttp: true } : {}),
          ...(ca === undefined ? {} : { ca }),
        }),
    },
  );
}

async function accountOf(flags: PushFlags): Promise<{ username: string; password: string } | undefined> {
  if (flags.username === undefined) return undefined;
  const password = await readPassword(flags.username, flags.to, flags['password-stdin']);
  return { username: flags.username, password: password.reveal() };
}

/** Registries and servers on the connected side; the docker config, ~/.netrc and the proxies of the environment apply. */
function connectedSide(): ResolveFlowPorts {
  const netrc = new Netrc(process.env);
  return {
    images: (sources, folder, accounts) => createImageSource(sources, process.env, folder, { accounts }),
    files: ({ ca }, folder) =>
      createFileSource({
        account: (host) => netrc.find(host),
        ...(ca === undefined ? {} : { ca: readCa(resolve(folder, ca), 'sources.ca') }),
      }),
  };
}
