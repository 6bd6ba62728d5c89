import { Secret } from '../../core/secret.ts';
import { checkRelease } from '../check-release.ts';
import { releaseComponents } from './components.ts';
import { withoutNulls } from './document.ts';
import { Findings } from './findings.ts';
import { balancersIn, noteImages } from './images.ts';
import { merged, moreFields, moved } from './more.ts';
import { KubeKeyManifestSchema, type KubeKeyAuth, type KubeKeyManifest } from './manifest-schema.ts';
import { refuse, type JsonPath, type PositionOf, type Problem } from '../problem.ts';
import type { Raw } from '../raw.ts';
import { ReleaseSchema, type RegistrySource, type Release } from '../release-schema.ts';
import { schemaProblems } from '../schema-problems.ts';

/** An account at a registry of the connected side. */
export interface SourceAccount {
  readonly username: string;
  readonly password: Secret;
}

/** A release that a KubeKey Manifest describes. */
export interface KubeKeyRelease {
  readonly release: Release;
  readonly notes: readonly string[];
  /** `registry.auths` by host: never part of the release, which travels inside the bundle. */
  readonly accounts: ReadonlyMap<string, SourceAccount>;
}

/**
 * KubeKey's Manifest as a Release. Every field is used, refused by name, or noted.
 * @throws DeliverError E_SCHEMA, E_NOT_YET, E_REFERENCE with every problem in details
 */
export function releaseOfManifest(path: string, document: Raw, positionOf: PositionOf): KubeKeyRelease {
  const raw = withoutNulls(document);
  const parsed = KubeKeyManifestSchema.safeParse(raw);
  if (!parsed.success) {
    refuse(path, schemaProblems(KubeKeyManifestSchema, raw), positionOf);
    throw parsed.error;
  }
  const findings = new Findings();
  const more = moreFields(parsed.data.metadata.annotations, 'Release', findings);
  const release = merged(releaseFrom(parsed.data, findings), more);
  noteOperatingSystems(parsed.data, findings);
  noteImages(parsed.data, findings);
  const reported = findings.problems.length > 0 ? [] : problemsOf(release as Raw, more);
  refuse(path, [...findings.problems, ...reported], positionOf);
  return {
    release: ReleaseSchema.parse(release),
    notes: findings.noteLines(positionOf),
    accounts: accountsOf(parsed.data.spec.registry?.auths ?? {}),
  };
}

function releaseFrom(manifest: KubeKeyManifest, findings: Findings): Release {
  const { metadata, spec } = manifest;
  const version = kubernetesVersion(spec.kubernetesDistributions ?? [], findings);
  const registries = registriesOf(spec.registry?.auths ?? {}, findings);
  const named = version?.replace(/^v/, '') ?? '0';
  if (metadata.annotations?.['deliver/release'] === undefined)
    findings.note(['metadata', 'name'], `the release is ${metadata.name} ${named}: a Manifest has no version of its own`);
  if (version === undefined && spec.components !== undefined) {
    findings.problem(['spec', 'components'], 'needs kubernetesDistributions: with the version that they belong to');
  }
  return {
    apiVersion: 'deliver/v1',
    kind: 'Release',
    metadata: { name: metadata.name, version: named },
    platforms: spec.arches.map((arch) => `linux/${arch}`),
    ...(version === undefined
      ? {}
      : {
          kubernetes: {
            version,
            components: { ...releaseComponents(spec.components ?? {}, findings), ...balancersIn(manifest, findings) },
          },
        }),
    ...(Object.keys(registries).length === 0 ? {} : { sources: { registries } }),
    ...(spec.images === undefined ? {} : { images: spec.images }),
  };
}

type Distributions = NonNullable<KubeKeyManifest['spec']['kubernetesDistributions']>;

function kubernetesVersion(distributions: Distributions, findings: Findings): string | undefined {
  const path = ['spec', 'kubernetesDistributions'];
  distributions.forEach(({ type }, index) => {
    if (type !== 'kubernetes')
      findings.problem([...path, index, 'type'], 'is not supported: deliver makes clusters with kubeadm', 'E_NOT_YET');
    if (index > 0)
      findings.problem(
        [...path, index],
        'is not supported: a release carries one Kubernetes; write a file for each',
        'E_NOT_YET',
      );
  });
  return distributions[0]?.version;
}

function registriesOf(auths: Readonly<Record<string, KubeKeyAuth>>, findings: Findings): Record<string, RegistrySource> {
  return Object.fromEntries(
    Object.entries(auths).flatMap(([host, { plainHTTP, skipTLSVerify, certsPath = '' }]): [string, RegistrySource][] => {
      const path = ['spec', 'registry', 'auths', host];
      if (skipTLSVerify === true && plainHTTP !== true)
        findings.problem([...path, 'skipTLSVerify'], 'is not supported: give its CA as certsPath', 'E_NOT_YET');
      const ca = certsPath === '' ? {} : { ca: `${certsPath.replace(/\/$/, '')}/ca.crt` };
      if (plainHTTP !== true && certsPath === '') return [];
      return [[host, { mirror: host, ...(plainHTTP === true ? { plainHttp: true } : {}), ...ca }]];
    }),
  );
}

function accountsOf(auths: Readonly<Record<string, KubeKeyAuth>>): Map<string, SourceAccount> {
  return new Map(
    Object.entries(auths).flatMap(([host, { username = '', password = '' }]): [string, SourceAccount][] =>
      username === '' || password === '' ? [] : [[host, { username, password: new Secret(password) }]],
    ),
  );
}

/** The packages of an operating system are not carried: deliver needs none. */
function noteOperatingSystems({ spec }: KubeKeyManifest, findings: Findings): void {
  (spec.operatingSystems ?? []).forEach(({ arch, id, version }, index) => {
    const path = ['spec', 'operatingSystems', index];
    if (!spec.arches.includes(arch)) findings.note(path, `${arch} is not among arches`);
    findings.note(path, `packages for ${id} ${version} are not carried: deliver installs none; an ISO can go under files:`);
  });
}

/** What our own rules have against it, at the place of the KubeKey file that it comes from. */
function problemsOf(release: Raw, more: Raw): Problem[] {
  const problems = [...schemaProblems(ReleaseSchema, release), ...checkRelease(release)];
  return problems.map((problem) => moved(problem, 'Release', more, kubeKeyPath));
}

function kubeKeyPath([top, ...rest]: JsonPath): JsonPath {
  if (top === 'kubernetes')
    return rest[0] === 'components' ? ['spec', 'components'] : ['spec', 'kubernetesDistributions', 0, 'version'];
  if (top === 'platforms') return ['spec', 'arches', ...rest];
  if (top === 'sources') return ['spec', 'registry', 'auths'];
  return top === undefined || top === 'metadata' ? ['metadata', 'name'] : ['spec', top, ...rest];
}
