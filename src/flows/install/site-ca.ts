import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeWhole } from '../../core/write-whole.ts';
import { isDeliverError } from '../../core/errors.ts';
import { CA_CERT } from '../../site/registry/paths.ts';
import { registryHostOf } from '../../site/registry/settings.ts';
import type { SitePorts } from '../site-ports.ts';

type CaPorts = Pick<SitePorts, 'loaded' | 'hosts' | 'stateFolder' | 'ca'>;

/**
 * PEM of the private CA that the site’s registry is trusted by: of the site file, else the one that deliver made, from its
 * host; while that can’t be reached, from this user’s memory of it. Undefined when there is none (yet).
 */
export async function siteCa(ports: CaPorts, signal?: AbortSignal): Promise<string | undefined> {
  const { loaded, hosts, ca } = ports;
  const { install } = loaded.site.registry ?? {};
  if (ca !== undefined || install === undefined || install.certificate !== undefined) return ca;
  try {
    const bytes = await (await hosts.connect(registryHostOf(loaded.site).name, signal)).readFile(CA_CERT);
    const found = bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
    await rememberCa(ports, found);
    return found;
  } catch (error) {
    const remembered = await readFile(memoryOf(ports), 'utf8').catch(() => undefined);
    if (remembered === undefined || !isDeliverError(error, 'E_SSH')) throw error;
    return remembered;
  }
}

/** Keeps the CA for runs that can’t reach the registry’s host. */
export async function rememberCa(ports: Pick<CaPorts, 'loaded' | 'stateFolder'>, ca: string | undefined): Promise<void> {
  const file = memoryOf(ports);
  if (ca === undefined || (await readFile(file, 'utf8').catch(() => undefined)) === ca) return;
  await mkdir(path.dirname(file), { recursive: true });
  await writeWhole(file, ca);
}

function memoryOf({ loaded, stateFolder }: Pick<CaPorts, 'loaded' | 'stateFolder'>): string {
  return path.join(stateFolder, 'registries', `${loaded.site.metadata.name}.crt`);
}
