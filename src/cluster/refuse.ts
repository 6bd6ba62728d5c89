import { DeliverError } from '../core/errors.ts';
import { textAt } from './fields.ts';
import type { KubeObject } from './port.ts';
import { refOf, refText } from './refs.ts';
import { RELEASE_LABEL } from './system.ts';

const STATE = 'This object was not changed.';

/**
 * Refuses what the API server would let through, though it is not what was meant.
 * @throws DeliverError E_CONFLICT for an object of another release, E_APPLY for a Service that would stay (or can't become) headless
 */
export function refuseUnplannable(live: KubeObject, object: KubeObject): void {
  const [owner, wanted] = [live.metadata.labels?.[RELEASE_LABEL], object.metadata.labels?.[RELEASE_LABEL]];
  if (owner !== undefined && wanted !== undefined && owner !== wanted) throw otherRelease(live, owner, wanted);
  if (object.kind === 'Service' && isHeadless(live) !== isHeadless(object)) throw fixedAddress(live, isHeadless(live));
}

/** Both are written by the field manager deliver, so the API server sees no conflict: each install would undo the other's. */
function otherRelease(live: KubeObject, owner: string, wanted: string): DeliverError {
  const { name, namespace } = live.metadata;
  const command = `kubectl label ${live.kind.toLowerCase()} ${name}${namespace === undefined ? '' : ` -n ${namespace}`} --overwrite ${RELEASE_LABEL}=${wanted}`;
  return new DeliverError('E_CONFLICT', {
    what: `${refText(refOf(live))} belongs to release ${owner}.`,
    why: `Release ${wanted} has an object of that name too, and each install would overwrite the other’s.`,
    fix: `Give it another name or namespace, or leave it out of one release. If it shall belong to ${wanted} from now on: ${command}`,
    state: STATE,
  });
}

/** The API server keeps `None` without a word, and refuses it for a Service that has an address. */
function fixedAddress(live: KubeObject, headless: boolean): DeliverError {
  const { name, namespace = '' } = live.metadata;
  return new DeliverError('E_APPLY', {
    what: `${refText(refOf(live))} ${headless ? 'is headless and would stay so' : 'has a cluster IP and can’t become headless'}.`,
    why: 'Kubernetes never changes whether a Service has a cluster IP.',
    fix: `Delete it (its clients lose it until the next install): kubectl delete service -n ${namespace} ${name}`,
    state: STATE,
  });
}

function isHeadless(service: KubeObject): boolean {
  return textAt(service, 'spec', 'clusterIP') === 'None';
}
