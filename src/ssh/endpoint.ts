import { userInfo } from 'node:os';
import type { SiteHost } from '../manifest/site-schema.ts';

/** SSH port of a host. */
export function portOf(host: SiteHost): number {
  return host.port ?? 22;
}

/** Login name on a host: as ssh does, one's own when none is given. */
export function userOf(host: SiteHost): string {
  return host.user ?? userInfo().username;
}

/** `cp1 (10.89.3.12:22, via bastion)`, for messages. */
export function where(host: SiteHost): string {
  return `${host.name} (${host.address}:${String(portOf(host))}${host.via === undefined ? '' : `, via ${host.via}`})`;
}
