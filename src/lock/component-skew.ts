import { compare, parse, satisfies, type SemVer } from 'semver';
import type { ComponentName } from '../manifest/component-schema.ts';
import type { JsonPath, Problem } from '../manifest/problem.ts';
import type { Release } from '../manifest/release-schema.ts';

/** Kubernetes minors that these rules were made from. */
const KNOWN = { first: 21, last: 37 } as const;

const RELEASES_MD = 'containerd RELEASES.md, Kubernetes Support';

/** The oldest containerd of each release line that goes with a Kubernetes minor; newer lines go too. */
const CONTAINERD: readonly { readonly from: number; readonly lines: readonly string[]; readonly source: string }[] = [
  { from: 36, lines: ['2.2.0'], source: RELEASES_MD },
  { from: 35, lines: ['1.7.28', '2.1.5', '2.2.0'], source: RELEASES_MD },
  { from: 34, lines: ['1.7.24', '2.0.4', '2.1.0'], source: RELEASES_MD },
  { from: 33, lines: ['1.6.36', '1.7.24', '2.0.4', '2.1.0'], source: RELEASES_MD },
  { from: 32, lines: ['1.6.36', '1.7.24', '2.0.1', '2.1.0'], source: RELEASES_MD },
  { from: 31, lines: ['1.6.34', '1.7.20', '2.0.0'], source: RELEASES_MD },
  { from: 30, lines: ['1.6.28', '1.7.13', '2.0.0'], source: RELEASES_MD },
  { from: 26, lines: ['1.6.15', '1.7.0', '2.0.0'], source: RELEASES_MD },
  { from: 23, lines: ['1.5.0', '1.6.0', '1.7.0', '2.0.0'], source: RELEASES_MD },
  // Its kubelet speaks CRI v1alpha2 only, which containerd 2.0 no longer has.
  { from: 21, lines: ['1.4.0', '1.5.0', '1.6.0', '1.7.0'], source: `${RELEASES_MD}, CRI v1alpha2` },
];
/** With these Kubernetes minors no line past the last one in the table goes. */
const CONTAINERD_ENDS = 23;

const ETCD: readonly { readonly from: number; readonly least: string }[] = [
  { from: 34, least: '3.5.24' },
  { from: 22, least: '3.4.13' },
  { from: 21, least: '3.4.3' },
];

const RUNC: readonly { readonly containerd: string; readonly least: string }[] = [
  { containerd: '>=2.0.0', least: '1.2.0' },
  { containerd: '>=1.6.0', least: '1.1.0' },
  { containerd: '>=1.0.0', least: '1.0.0' },
];

/** What of the components does not go together, by rules that their projects publish. kubelet, kubeadm and kubectl always do. */
export function skewProblems({ kubernetes }: Pick<Release, 'kubernetes'>): readonly Problem[] {
  const components = kubernetes?.components;
  const version = parse(kubernetes?.version);
  if (components === undefined || version === null) return [];
  if (version.major !== 1 || version.minor < KNOWN.first) {
    const message = `deliver installs Kubernetes 1.${KNOWN.first} and newer (tried: 1.33 and 1.34)`;
    return [{ path: ['kubernetes', 'version'], code: 'E_SKEW', message }];
  }
  const parsed = Object.entries(components).map(([name, text]) => [name, parse(text)] as const);
  const of = (name: ComponentName): SemVer | null => parsed.find(([known]) => known === name)?.[1] ?? null;
  return [
    ...parsed.flatMap(([name, value]) => (value === null ? [unreadable(name)] : [])),
    ...containerdProblem(of('containerd'), version),
    ...crictlProblem(of('crictl'), version),
    ...etcdProblem(of('etcd'), version),
    ...runcProblem(of('runc'), of('containerd')),
    ...cniProblem(of('cni-plugins'), of('containerd'), version),
  ];
}

/** What is worth a word though nothing forbids it. */
export function skewAdvice({ kubernetes }: Pick<Release, 'kubernetes'>): readonly string[] {
  const version = parse(kubernetes?.version);
  if (kubernetes?.components === undefined || version === null || version.minor <= KNOWN.last) return [];
  return [
    `Kubernetes 1.${version.minor} is newer than deliver’s rules (1.${KNOWN.first} to 1.${KNOWN.last}): nobody tried it with this version of deliver.`,
  ];
}

function containerdProblem(containerd: SemVer | null, kubernetes: SemVer): Problem[] {
  const rule = CONTAINERD.find(({ from }) => kubernetes.minor >= from);
  if (containerd === null || rule === undefined) return [];
  const own = rule.lines.find((line) => sameLine(parse(line), containerd));
  const newest = parse(rule.lines.at(-1));
  const isNewer =
    kubernetes.minor >= CONTAINERD_ENDS && newest !== null && !sameLine(newest, containerd) && compare(containerd, newest) > 0;
  if (isNewer || (own !== undefined && compare(containerd, own) >= 0)) return [];
  const wanted = rule.lines.map((line) => `${line}+`).join(', ');
  return [
    problem(
      'containerd',
      `Kubernetes 1.${kubernetes.minor} needs containerd ${wanted}, not ${containerd.version} (${rule.source})`,
    ),
  ];
}

function crictlProblem(crictl: SemVer | null, kubernetes: SemVer): Problem[] {
  if (crictl === null || (crictl.major === 1 && Math.abs(crictl.minor - kubernetes.minor) <= 1)) return [];
  const wanted = `crictl 1.${kubernetes.minor}, or one minor beside it, goes with Kubernetes 1.${kubernetes.minor}`;
  return [problem('crictl', `${wanted}, not ${crictl.version} (cri-tools README, Compatibility matrix)`)];
}

function etcdProblem(etcd: SemVer | null, kubernetes: SemVer): Problem[] {
  const rule = ETCD.find(({ from }) => kubernetes.minor >= from);
  if (etcd === null || rule === undefined || compare(etcd, rule.least) >= 0) return [];
  const message = `kubeadm of Kubernetes 1.${kubernetes.minor} wants an external etcd ${rule.least} or newer, not ${etcd.version}`;
  return [problem('etcd', `${message} (kubeadm constants.go, MinExternalEtcdVersion)`)];
}

function runcProblem(runc: SemVer | null, containerd: SemVer | null): Problem[] {
  const rule = containerd === null ? undefined : RUNC.find((row) => satisfies(containerd, row.containerd));
  if (runc === null || containerd === null || rule === undefined || compare(runc, rule.least) >= 0) return [];
  const message = `containerd ${containerd.version} is tested with runc ${rule.least} and newer, not ${runc.version}`;
  return [problem('runc', `${message} (containerd script/setup/runc-version)`)];
}

/** Before 1.0.0 the plugins, loopback among them, know CNI 0.4.0 at most. */
function cniProblem(cni: SemVer | null, containerd: SemVer | null, kubernetes: SemVer): Problem[] {
  if (cni === null || compare(cni, '1.0.0') >= 0) return [];
  const hasBroken = containerd !== null && satisfies(containerd, '>=1.6.0 <1.6.4');
  if (kubernetes.minor < 24 && !hasBroken) return [];
  const other = hasBroken ? `containerd ${containerd.version}` : `Kubernetes 1.${kubernetes.minor} on containerd`;
  const message = `${other} needs cni-plugins 1.0.0 or newer, not ${cni.version}`;
  return [problem('cni-plugins', `${message} (kubernetes.io, Troubleshooting CNI plugin-related errors)`)];
}

function sameLine(a: SemVer | null, b: SemVer): boolean {
  return a?.major === b.major && a.minor === b.minor;
}

function unreadable(name: string): Problem {
  return { path: at(name), message: 'must be a whole version, like 1.7.28 or v1.3.0' };
}

function problem(name: ComponentName, message: string): Problem {
  return { path: at(name), message, code: 'E_SKEW' };
}

function at(name: string): JsonPath {
  return ['kubernetes', 'components', name];
}
