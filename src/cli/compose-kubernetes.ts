import type { Flow } from '../core/report.ts';
import { certsRenewFlow, type CertsResult } from '../flows/certs-renew.ts';
import { resetFlow, type ResetResult } from '../flows/reset.ts';
import { removedData, type ResetData } from '../flows/reset-data.ts';
import { composeSite } from './compose-site.ts';

// Where adapters meet flows, for the verbs that keep a site's Kubernetes.

export async function composeCertsRenew(site: string): Promise<Flow<CertsResult>> {
  return certsRenewFlow(await composeSite(site));
}

/** The flow, and what a person agrees to. @throws DeliverError E_USAGE for a host or a folder that can’t be meant */
export async function composeReset(
  host: string,
  site: string,
  data: ResetData,
): Promise<{ readonly flow: Flow<ResetResult>; readonly question: string }> {
  const ports = await composeSite(site, host);
  const remove = removedData(ports.loaded.site, host, data);
  const also = remove.length === 0 ? ' Data stays.' : ` It DELETES the data in ${remove.join(', ')}.`;
  return {
    flow: resetFlow({ host, remove }, ports),
    question: `This takes ${host} out of its cluster and puts everything back that deliver set up there.${also}`,
  };
}
