import { isDeliverError } from '../core/errors.ts';
import { daysLeft } from '../site/registry/certificate.ts';
import { SERVER_CERT } from '../site/registry/paths.ts';
import { registryHostOf } from '../site/registry/settings.ts';
import type { SitePorts } from './site-ports.ts';

/** Days that the certificate of a registry that deliver installs is still good for; undefined when that can’t be told. */
export async function certificateDays(
  { loaded, hosts }: Pick<SitePorts, 'loaded' | 'hosts'>,
  now: Date = new Date(),
): Promise<number | undefined> {
  if (loaded.site.registry?.install === undefined) return undefined;
  try {
    const bytes = await (await hosts.connect(registryHostOf(loaded.site).name)).readFile(SERVER_CERT);
    return bytes === undefined ? undefined : daysLeft(Buffer.from(bytes).toString('utf8'), now);
  } catch (error) {
    if (isDeliverError(error, 'E_SSH', 'E_SSH_AUTH', 'E_HOST', 'E_HOST_KEY', 'E_SUDO')) return undefined;
    throw error;
  }
}
