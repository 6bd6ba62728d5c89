import { loadTrustPolicy } from '../bundle/signature/load-trusted-keys.ts';
import { openBundle } from '../bundle/open-bundle.ts';
import { judgeTrust } from '../bundle/signature/trust.ts';
import { DeliverError } from '../core/errors.ts';
import type { Flow } from '../core/report.ts';
import { serveFlow, type ServeResult } from '../flows/serve.ts';
import { trustText } from '../flows/verify.ts';
import { readText } from '../manifest/read-text.ts';
import { httpListener } from '../serve/http-listener.ts';

export interface ServeFlags {
  readonly listen: string;
  readonly 'tls-cert'?: string | undefined;
  readonly 'tls-key'?: string | undefined;
  readonly trust?: readonly string[] | undefined;
  readonly threshold: number;
  readonly 'allow-unsigned': boolean;
}

/** @throws DeliverError E_USAGE, E_FILE_NOT_FOUND, E_FILE_UNREADABLE */
export async function composeServe({
  bundle,
  flags,
}: {
  readonly bundle: string;
  readonly flags: ServeFlags;
}): Promise<Flow<ServeResult>> {
  const trusted = await loadTrustPolicy(flags.trust ?? [], flags.threshold);
  const tls = await tlsOf(flags);
  return serveFlow(
    { bundlePath: bundle, listen: flags.listen, ...(tls === undefined ? {} : { tls }) },
    {
      openBundle,
      checkTrust: (opened) => trustText(judgeTrust(opened, trusted, { allowUnsigned: flags['allow-unsigned'] })),
      http: httpListener,
    },
  );
}

async function tlsOf(flags: ServeFlags): Promise<{ cert: string; key: string } | undefined> {
  const { 'tls-cert': cert, 'tls-key': key } = flags;
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined)
    throw new DeliverError('E_USAGE', { what: '--tls-cert and --tls-key belong together.', fix: 'Give both, or neither.' });
  return { cert: await readText(cert, 'The TLS certificate'), key: await readText(key, 'The TLS key') };
}
