import type { Site } from '../../manifest/site-schema.ts';
import { registryHostOf } from './settings.ts';

/**
 * How deliver reaches the site’s registry. One that it installed needs no name here: its host’s address is known, and where
 * that host is reached through another one, its own SSH connection carries it.
 */
export function registryWay(site: Site): { readonly address?: string; readonly via?: string } {
  const { address, via, install } = site.registry ?? {};
  if (install === undefined || address !== undefined || via !== undefined) {
    return { ...(address === undefined ? {} : { address }), ...(via === undefined ? {} : { via }) };
  }
  const on = registryHostOf(site);
  return { address: bracketed(on.internalAddress ?? on.address), ...(on.via === undefined ? {} : { via: on.name }) };
}

/** `plain` and `harbor` ask no question whose answer is known. */
export function registryType({ registry }: Site): 'auto' | 'harbor' | 'plain' {
  const kind = registry?.install?.kind;
  return registry?.type ?? (kind === undefined ? 'auto' : kind === 'harbor' ? 'harbor' : 'plain');
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
