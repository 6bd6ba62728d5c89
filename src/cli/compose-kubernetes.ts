import type { Flow } from '../core/report.ts';
import { certsRenewFlow, type CertsResult } from '../flows/certs-renew.ts';
import { resetFlow, type ResetResult } from '../flows/reset.ts';
import { composeSite } from './compose-site.ts';

// Where adapters meet flows, for the verbs that keep a site's Kubernetes.

export async function composeCertsRenew(site: string): Promise<Flow<CertsResult>> {
  return certsRenewFlow(await composeSite(site));
}

export async function composeReset(host: string, site: string): Promise<Flow<ResetResult>> {
  return resetFlow(host, await composeSite(site));
}
