import { loadTrustedKeys } from '../bundle/load-trusted-keys.ts';
import { openBundle } from '../bundle/open-bundle.ts';
import { judgeTrust } from '../bundle/trust.ts';
import type { Flow } from '../core/report.ts';
import { readText } from '../manifest/read-text.ts';
import { packFlow, type PackResult } from '../flows/pack.ts';
import { pushFlow } from '../flows/push.ts';
import { resolveFlow, type ResolveFlowPorts, type ResolveResult } from '../flows/resolve.ts';
import { signersText } from '../flows/verify.ts';
import type { PushResult } from '../registry/push-content.ts';
import { DockerAccounts } from '../registry/docker-config.ts';
import { createImageSource } from '../registry/image-source.ts';
import { openSiteRegistry } from '../registry/site-registry.ts';
import { createFileSource } from '../store/file-source.ts';
import { askPassphrase, passphraseFor } from './passphrase.ts';
import { readPassword } from './read-password.ts';

// Where adapters meet flows, for the verbs that need the network but no site. Imported only when a command runs.

export interface PushFlags {
  readonly to: string;
  readonly username?: string | undefined;
  readonly 'password-stdin': boolean;
  readonly ca?: string | undefined;
  readonly 'plain-http': boolean;
  readonly trust?: readonly string[] | undefined;
  readonly 'allow-unsigned': boolean;
}

export interface PackWish {
  readonly release: string;
  readonly output: string;
  readonly signKey?: string;
}

export function composeResolve({ release, check }: { readonly release: string; readonly check: boolean }): Flow<ResolveResult> {
  return resolveFlow({ releasePath: release, check }, connectedSide());
}

/** Asks for the passphrase of the key before anything is drawn. @throws DeliverError E_SIGN_KEY */
export async function composePack({ release, output, signKey }: PackWish): Promise<Flow<PackResult>> {
  const passphrase = signKey === undefined ? undefined : await passphraseFor(signKey);
  return packFlow(
    { releasePath: release, outputFolder: output, ...(signKey === undefined ? {} : { signKeyPath: signKey }) },
    { ...connectedSide(), askPassphrase: async (path) => passphrase ?? askPassphrase(path) },
  );
}

/** @throws DeliverError E_USAGE, E_FILE_NOT_FOUND */
export async function composePush({
  bundle,
  flags,
}: {
  readonly bundle: string;
  readonly flags: PushFlags;
}): Promise<Flow<PushResult>> {
  const trusted = await loadTrustedKeys(flags.trust ?? []);
  const ca = flags.ca === undefined ? undefined : await readText(flags.ca, 'The certificate authority');
  const given = await accountOf(flags);
  const docker = new DockerAccounts(process.env);
  return pushFlow(
    { bundlePath: bundle, to: flags.to },
    {
      openBundle,
      checkTrust: (opened) => signersText(judgeTrust(opened, trusted, { allowUnsigned: flags['allow-unsigned'] }).signers),
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

/** Registries and servers on the connected side; the docker config and the proxies of the environment apply. */
function connectedSide(): ResolveFlowPorts {
  return {
    images: (registries, folder) => createImageSource(registries, process.env, folder),
    files: createFileSource(),
  };
}
