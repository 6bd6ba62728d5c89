import { check, checkThat, type Check } from '../../site/check/check.ts';
import { clusterChecks, lookAtCluster } from '../../site/check/upgrade.ts';
import { buildsKubernetes } from '../../site/kubeadm/settings.ts';
import type { SitePorts } from '../site-ports.ts';

export interface ClusterPreflight {
  readonly checks: readonly Check[];
  readonly version?: string;
  /** Names of its nodes. */
  readonly members: ReadonlySet<string>;
}

/**
 * Whether the cluster answers, and when deliver keeps it itself, whether it can be brought to the release's version.
 * @param wanted version of the release, undefined without one
 * @param builds whether release and site ask deliver to build
 */
export async function clusterPreflight(
  wanted: string | undefined,
  builds: boolean,
  ports: SitePorts,
  signal: AbortSignal,
): Promise<ClusterPreflight> {
  const keeps = builds && buildsKubernetes(ports.loaded.site);
  let version: string | undefined;
  const answer = await checkThat('cluster', 'Kubernetes API', async () => {
    version = await (await ports.cluster()).version(signal);
    return { found: version };
  });
  if (version === undefined) return { checks: [keeps ? withoutAnswer(answer, wanted) : answer], members: new Set() };
  if (!keeps) return { checks: [answer], version, members: new Set() };
  const from = version;
  let members = new Set<string>();
  let more: readonly Check[] = [];
  const seen = await checkThat('cluster-look', 'what is in the cluster', async () => {
    const look = await lookAtCluster(await ports.cluster(), signal);
    members = new Set(look.nodes.map(({ metadata }) => metadata.name));
    more = await clusterChecks(look, from, wanted);
    return {};
  });
  return { checks: [answer, ...(seen.outcome === 'pass' ? more : [seen])], version, members };
}

/** A cluster that deliver makes is not there at first, and after a cut the API may be half made: the install goes on from there. */
function withoutAnswer(answer: Check, wanted: string | undefined): Check {
  const outcome = check('cluster', 'Kubernetes API');
  if (answer.code === 'E_KUBECONFIG')
    return outcome.pass({ found: `none yet: kubeadm makes it${wanted === undefined ? '' : `, ${wanted}`}` });
  // What keeps a host from being reached is said by that host’s own check.
  if (answer.code === 'E_CLUSTER') {
    return outcome.warn({
      found: `${answer.found ?? ''}: an install goes on from what is there`,
      ...(answer.fix === undefined ? {} : { fix: answer.fix }),
    });
  }
  // Its version it tells to everybody whom it knows: the certificates that deliver made have ended.
  if (answer.code === 'E_CLUSTER_AUTH')
    return { ...answer, fix: 'Renew the certificates of the control planes: deliver certs renew --site <site file>' };
  return answer;
}
