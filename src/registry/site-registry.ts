import { DeliverError, isDeliverError } from '../core/errors.ts';
import { createHarborApi } from './harbor/api.ts';
import type { RegistryOptions } from './options.ts';
import type { PushWriter, RegistryAccount, SiteRegistryConnection } from './port.ts';
import { createRegistry } from './registry.ts';

/**
 * Opens a site's registry and finds out whether it is a Harbor.
 * @param type `harbor` insists on one, `plain` doesn't ask
 * @throws DeliverError E_REGISTRY*, E_HARBOR
 */
export async function openSiteRegistry(
  options: Omit<RegistryOptions, 'role'>,
  type: 'auto' | 'harbor' | 'plain' = 'auto',
): Promise<SiteRegistryConnection> {
  const siteOptions: RegistryOptions = { ...options, role: 'site' };
  const writer = createRegistry(siteOptions);
  const openAs = (account: RegistryAccount): PushWriter => {
    const other = createRegistry({ ...siteOptions, account });
    return { writer: other, close: () => other.close() };
  };
  const accepts = (account: RegistryAccount, repository: string, signal?: AbortSignal): Promise<boolean> =>
    isLetIn(openAs(account), repository, signal);
  const plain: SiteRegistryConnection = { writer, openAs, accepts, close: () => writer.close() };
  if (type === 'plain') return plain;
  const harbor = createHarborApi(siteOptions);
  const close = async (): Promise<void> => {
    await Promise.all([writer.close(), harbor.close()]);
  };
  try {
    const version = await harbor.version();
    if (version !== undefined) return { ...plain, harbor, version, close };
    if (type === 'harbor') {
      throw new DeliverError('E_HARBOR', {
        what: `${options.host} is not a Harbor.`,
        why: 'It doesn’t answer /api/v2.0/systeminfo as Harbor does.',
        fix: 'Check registry.host, or set registry.type to plain.',
      });
    }
    await harbor.close();
    return plain;
  } catch (error) {
    await close();
    throw error;
  }
}

async function isLetIn(as: PushWriter, repository: string, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await as.writer.headManifest(repository, 'deliver-login-check', signal);
    return true;
  } catch (error) {
    if (isDeliverError(error, 'E_REGISTRY_AUTH')) return false;
    throw error;
  } finally {
    await as.close();
  }
}
