import type { HostConnector } from '../../ssh/port.ts';
import { applyHosts, planHosts, type BlobPlaces } from '../host/apply.ts';
import { refuseFailed } from '../host/outcome.ts';
import { emptyWish } from '../host/wish.ts';
import type { KubernetesPrograms } from '../kubeadm/world.ts';
import { componentWish, type CarriedComponent } from './wish.ts';
import { SILENT } from '../../core/report.ts';

/** Puts the release's programs on single hosts, when an upgrade comes to them. */
export function kubernetesPrograms(
  connector: HostConnector,
  carried: readonly CarriedComponent[],
  blobs: BlobPlaces,
): KubernetesPrograms {
  return {
    async place(host, names, signal) {
      const components = carried
        .filter(({ name }) => names.some((wanted) => wanted === name))
        .flatMap((one) => componentWish(one) ?? []);
      const looks = await planHosts(connector, [{ ...emptyWish(host), components }], signal);
      const outcomes = await applyHosts(connector, looks, blobs, SILENT, signal);
      refuseFailed(outcomes);
      return outcomes.some(({ state }) => state === 'changed');
    },
  };
}
