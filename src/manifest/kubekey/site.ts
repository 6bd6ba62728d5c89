import { isIP } from 'node:net';
import { countText } from '../../core/amounts.ts';
import { checkSite } from '../check-site.ts';
import { NOTED, REFUSED } from './cluster-rules.ts';
import { KubeKeyClusterSchema, KubeKeyRolesSchema, type KubeKeyCluster } from './cluster-schema.ts';
import { withoutNulls } from './document.ts';
import { Findings, noteFields, refuseFields } from './findings.ts';
import { orElse, siteHosts, type InlineSecrets } from './hosts.ts';
import { merged, moreFields, moved } from './more.ts';
import { siteEndpoint, siteKubernetes, siteNetwork, siteRuntime } from './options.ts';
import { siteRegistry } from './registry.ts';
import { siteRoles } from './roles.ts';
import { refuse, type JsonPath, type PositionOf, type Problem } from '../problem.ts';
import type { Raw } from '../raw.ts';
import { schemaProblems } from '../schema-problems.ts';
import { SiteSchema, type Site } from '../site-schema.ts';

/** A site that a KubeKey Cluster describes. */
export interface KubeKeySite {
  readonly site: Site;
  /** What has to be said about fields that mean something else here, or nothing: `file:line:col  path: message`. */
  readonly notes: readonly string[];
  /** Passwords that the file holds literally. */
  readonly inlineSecrets: InlineSecrets;
  /** The Kubernetes version that the file names; here the release decides it. */
  readonly kubernetesVersion?: string;
}

/**
 * KubeKey's Cluster as a Site. Every field is used, refused by name, or noted.
 * @throws DeliverError E_SCHEMA, E_NOT_YET with every problem in details
 */
export function siteOfCluster(path: string, document: Raw, positionOf: PositionOf): KubeKeySite {
  const raw = withoutNulls(document) as Raw;
  const findings = new Findings();
  refuseFields(raw, REFUSED, findings);
  const parsed = KubeKeyClusterSchema.safeParse(raw);
  if (!parsed.success) {
    const roles = KubeKeyRolesSchema.safeParse(raw);
    // All at once: a slip elsewhere must not hide hosts that do not exist.
    if (roles.success) siteRoles(roles.data, findings);
    refuse(path, [...schemaProblems(KubeKeyClusterSchema, raw), ...findings.problems], positionOf);
    throw parsed.error;
  }
  const cluster = parsed.data;
  const inlineSecrets: InlineSecrets = new Map();
  const more = moreFields(cluster.metadata.annotations, 'Site', findings);
  const site = merged(siteFrom(cluster, more, inlineSecrets, findings), more) as Raw;
  noteFields(raw, NOTED, findings);
  if (inlineSecrets.size > 0) {
    const count = countText(inlineSecrets.size, 'password');
    findings.note(
      ['spec'],
      `${count} in plain text: taken as secrets; deliver import kubekey moves them to a file that only you may read`,
    );
  }
  const version = kubernetesVersion(cluster, findings);
  const reported = findings.problems.length > 0 ? [] : problemsOf(site, more);
  refuse(path, [...findings.problems, ...reported], positionOf);
  return {
    site: SiteSchema.parse(site),
    notes: findings.noteLines(positionOf),
    inlineSecrets,
    ...(version === undefined ? {} : { kubernetesVersion: version }),
  };
}

function siteFrom(cluster: KubeKeyCluster, more: Raw, secrets: InlineSecrets, findings: Findings): Site {
  const { spec, metadata } = cluster;
  const hosts = siteHosts(spec.hosts, secrets, findings);
  const roles = siteRoles(cluster, findings);
  const registry = siteRegistry(cluster, roles.registry ?? [], secrets, findings);
  return {
    apiVersion: 'deliver/v1',
    kind: 'Site',
    metadata: { name: metadata.name },
    hosts,
    roles,
    ...siteEndpoint(spec, findings),
    ...(registry === undefined ? {} : { registry }),
    ...siteKubernetes(spec, findings),
    ...siteRuntime(spec, findings),
    ...siteNetwork(spec, findings),
    ...(more.ingress === undefined ? ingressOf(hosts, roles, findings) : {}),
  };
}

/** KubeKey knows no ingress; apps are reached at the workers, by names of nip.io. */
function ingressOf(hosts: Site['hosts'], roles: NonNullable<Site['roles']>, findings: Findings): Pick<Site, 'ingress'> {
  const names = roles.worker ?? roles['control-plane'] ?? [];
  const addresses = (hosts ?? []).flatMap(({ name, address }) => (names.includes(name) && isIP(address) !== 0 ? [address] : []));
  if (addresses.length === 0) return {};
  findings.note(['spec', 'roleGroups'], `the ingress addresses are those of the workers: ${addresses.join(', ')}`);
  return { ingress: { addresses, domain: 'nip.io' } };
}

function kubernetesVersion({ spec }: KubeKeyCluster, findings: Findings): string | undefined {
  const version = orElse(spec.kubernetes?.version, undefined);
  if (version === undefined) return undefined;
  const path = ['spec', 'kubernetes', 'version'];
  if (!/^v\d+\.\d+\.\d+$/.test(version))
    findings.problem(path, 'must look like v1.34.4; deliver makes clusters with kubeadm only');
  else findings.note(path, `the release decides it; one that carries another than ${version} is refused`);
  return version;
}

/** What our own rules have against it, at the place of the KubeKey file that it comes from. */
function problemsOf(site: Raw, more: Raw): Problem[] {
  return [...schemaProblems(SiteSchema, site), ...checkSite(site)].map((problem) => moved(problem, 'Site', more, kubeKeyPath));
}

const MOVED: readonly (readonly [ours: string, theirs: JsonPath])[] = [
  ['roles', ['roleGroups']],
  ['runtime', ['registry', 'dataRoot']],
  ['ingress', ['hosts']],
];

function kubeKeyPath(path: JsonPath): JsonPath {
  const [top, ...rest] = path;
  if (top === undefined || top === 'metadata') return path;
  const moved = MOVED.find(([ours]) => ours === top)?.[1];
  return moved === undefined ? ['spec', top, ...rest] : ['spec', ...moved, ...(top === 'roles' ? rest : [])];
}
