import { fieldAt } from '../cluster/fields.ts';
import type { ClusterApi } from '../cluster/port.ts';
import { MANAGED_BY, SYSTEM_NAMESPACE } from '../cluster/system.ts';
import { receiptFrom, type ReadReceipt } from './read-receipt.ts';
import { receiptText, shortForm, type Receipt } from './receipt.ts';

const NAME = 'receipt';

/** The last receipt of a site and the version of the object that holds it. */
export interface ChainHead {
  readonly last?: ReadReceipt;
  readonly resourceVersion?: string;
}

/** The chain is continued from the cluster, so that it is one chain whoever asks for a receipt. @throws DeliverError E_RECEIPT */
export async function readHead(api: ClusterApi, signal?: AbortSignal): Promise<ChainHead> {
  const object = await api.get({ apiVersion: 'v1', kind: 'ConfigMap', name: NAME, namespace: SYSTEM_NAMESPACE }, signal);
  const text = fieldAt(object, 'data', 'receipt');
  if (object === undefined || typeof text !== 'string') return {};
  const version = fieldAt(object, 'metadata', 'resourceVersion');
  return {
    last: receiptFrom(text, `ConfigMap ${SYSTEM_NAMESPACE}/${NAME}`),
    ...(typeof version === 'string' ? { resourceVersion: version } : {}),
  };
}

/**
 * Keeps a receipt before it leaves the site: whatever happens to its file, the next one follows it.
 * @throws DeliverError E_APPLY when another receipt was written meanwhile
 */
export async function writeHead(api: ClusterApi, head: ChainHead, receipt: Receipt, signal?: AbortSignal): Promise<void> {
  const { resourceVersion } = head;
  const metadata = { name: NAME, namespace: SYSTEM_NAMESPACE, labels: MANAGED_BY };
  await api.apply(
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...metadata, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
      data: { receipt: receiptText(shortForm(receipt)) },
    },
    signal === undefined ? {} : { signal },
  );
}
