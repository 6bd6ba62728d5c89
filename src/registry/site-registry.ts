import { DeliverError } from '../core/errors.ts';
import { createHarborApi } from './harbor-api.ts';
import type { RegistryOptions } from './options.ts';
import type { HarborApi, RegistryWriter } from './port.ts';
import { createRegistry } from './registry.ts';

/** The registry of a site, opened. */
export interface SiteRegistryConnection {
  readonly writer: RegistryWriter;
  /** Absent when it is not a Harbor. */
  readonly harbor?: HarborApi;
  /** Harbor's version. */
  readonly version?: string;
  close(): Promise<void>;
}

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
  if (type === 'plain') return { writer, close: () => writer.close() };
  const harbor = createHarborApi(siteOptions);
  const close = async (): Promise<void> => {
    await Promise.all([writer.close(), harbor.close()]);
  };
  try {
    const version = await harbor.version();
    if (version !== undefined) return { writer, harbor, version, close };
    if (type === 'harbor') {
      throw new DeliverError('E_HARBOR', {
        what: `${options.host} is not a Harbor.`,
        why: 'It doesn’t answer /api/v2.0/systeminfo as Harbor does.',
        fix: 'Check registry.host, or set registry.type to plain.',
      });
    }
    await harbor.close();
    return { writer, close: () => writer.close() };
  } catch (error) {
    await close();
    throw error;
  }
}
