import { DeliverError } from '../core/errors.ts';
import { textAt } from './fields.ts';
import type { ClusterApi } from './port.ts';

/** A Service whose address a later app uses. */
interface Needed {
  readonly name: string;
  readonly from: string;
  readonly namespace: string;
}

/**
 * Values of outputs by name, read from the Services of the cluster.
 * @param missing `placeholder` for a plan, where the Service may not be there yet; `fail` for an install
 * @throws DeliverError E_CLUSTER when one is missing and must not be
 */
export async function readOutputs(
  api: ClusterApi,
  needs: readonly Needed[],
  missing: 'placeholder' | 'fail',
  signal?: AbortSignal,
): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  for (const { name, from, namespace } of needs) {
    const service = await api.get({ apiVersion: 'v1', kind: 'Service', name: from, namespace }, signal);
    const value = textAt(service, 'spec', 'clusterIP');
    if (value === undefined && missing === 'fail') {
      throw new DeliverError('E_CLUSTER', {
        what: `The output ${name} is not there: Service ${namespace}/${from} has no cluster IP.`,
        fix: `See why Service ${namespace}/${from} is missing, then run the same command again.`,
        state: 'What was applied before stays.',
      });
    }
    values.set(name, value ?? placeholderOf(name));
  }
  return values;
}

/** Stands for a value that is known only after the install. */
export function placeholderOf(name: string): string {
  return `(${name}, known after install)`;
}
