import { parse } from 'semver';

/** Tags from a patch release on. */
type Row = readonly [fromPatch: number, coredns: string, etcd: string];

interface Minor {
  readonly pause: string;
  /** The last patch release that the table was made from: a later one may have other tags. */
  readonly last: number;
  readonly rows: readonly Row[];
}

/**
 * What `kubeadm config images list` says, by minor version, for machines that can’t run that kubeadm. From the lists that
 * minikube generates with each kubeadm (pkg/minikube/constants/constants_kubeadm_images.go).
 */
const MINORS: Readonly<Record<number, Minor>> = {
  21: { pause: '3.4.1', last: 14, rows: [[0, 'v1.8.0', '3.4.13-0']] },
  22: {
    pause: '3.5',
    last: 17,
    rows: [
      [0, 'v1.8.4', '3.5.0-0'],
      [17, 'v1.8.4', '3.5.6-0'],
    ],
  },
  23: {
    pause: '3.6',
    last: 17,
    rows: [
      [0, 'v1.8.6', '3.5.1-0'],
      [14, 'v1.8.6', '3.5.5-0'],
      [15, 'v1.8.6', '3.5.6-0'],
    ],
  },
  24: {
    pause: '3.7',
    last: 17,
    rows: [
      [0, 'v1.8.6', '3.5.3-0'],
      [8, 'v1.8.6', '3.5.5-0'],
      [9, 'v1.8.6', '3.5.6-0'],
    ],
  },
  25: {
    pause: '3.8',
    last: 16,
    rows: [
      [0, 'v1.9.3', '3.5.4-0'],
      [4, 'v1.9.3', '3.5.5-0'],
      [5, 'v1.9.3', '3.5.6-0'],
      [15, 'v1.9.3', '3.5.9-0'],
    ],
  },
  26: {
    pause: '3.9',
    last: 15,
    rows: [
      [0, 'v1.9.3', '3.5.6-0'],
      [10, 'v1.9.3', '3.5.9-0'],
      [13, 'v1.9.3', '3.5.10-0'],
    ],
  },
  27: {
    pause: '3.9',
    last: 16,
    rows: [
      [0, 'v1.10.1', '3.5.7-0'],
      [7, 'v1.10.1', '3.5.9-0'],
      [10, 'v1.10.1', '3.5.10-0'],
      [12, 'v1.10.1', '3.5.12-0'],
    ],
  },
  28: {
    pause: '3.9',
    last: 15,
    rows: [
      [0, 'v1.10.1', '3.5.9-0'],
      [6, 'v1.10.1', '3.5.10-0'],
      [8, 'v1.10.1', '3.5.12-0'],
      [14, 'v1.10.1', '3.5.15-0'],
    ],
  },
  29: {
    pause: '3.9',
    last: 10,
    rows: [
      [0, 'v1.11.1', '3.5.10-0'],
      [3, 'v1.11.1', '3.5.12-0'],
      [9, 'v1.11.1', '3.5.15-0'],
    ],
  },
  30: {
    pause: '3.9',
    last: 14,
    rows: [
      [0, 'v1.11.1', '3.5.12-0'],
      [5, 'v1.11.3', '3.5.15-0'],
    ],
  },
  31: {
    pause: '3.10',
    last: 14,
    rows: [
      [0, 'v1.11.1', '3.5.15-0'],
      [1, 'v1.11.3', '3.5.15-0'],
      [14, 'v1.11.3', '3.5.24-0'],
    ],
  },
  32: {
    pause: '3.10',
    last: 13,
    rows: [
      [0, 'v1.11.3', '3.5.16-0'],
      [10, 'v1.11.3', '3.5.24-0'],
    ],
  },
  33: {
    pause: '3.10',
    last: 13,
    rows: [
      [0, 'v1.12.0', '3.5.21-0'],
      [6, 'v1.12.0', '3.5.24-0'],
    ],
  },
  34: {
    pause: '3.10.1',
    last: 10,
    rows: [
      [0, 'v1.12.1', '3.6.4-0'],
      [2, 'v1.12.1', '3.6.5-0'],
    ],
  },
  35: { pause: '3.10.1', last: 7, rows: [[0, 'v1.13.1', '3.6.6-0']] },
  36: { pause: '3.10.2', last: 3, rows: [[0, 'v1.14.2', '3.6.8-0']] },
};

/** The images of Kubernetes by the table, in kubeadm’s order; undefined for a version that it does not know for certain. */
export function imagesByTable(kubernetesVersion: string): readonly string[] | undefined {
  const version = parse(kubernetesVersion);
  const minor = version?.major === 1 ? MINORS[version.minor] : undefined;
  const row = version === null ? undefined : minor?.rows.findLast(([from]) => version.patch >= from);
  if (version === null || minor === undefined || row === undefined || version.patch > minor.last) return undefined;
  const [, coredns, etcd] = row;
  const host = hostOf(version.minor, version.patch);
  return [
    ...['apiserver', 'controller-manager', 'scheduler', 'proxy'].map((name) => `${host}/kube-${name}:v${version.version}`),
    `${host}/coredns/coredns:${coredns}`,
    `${host}/pause:${minor.pause}`,
    `${host}/etcd:${etcd}`,
  ];
}

/** The newest patch release of a minor that the table knows. */
export function lastInTable(minor: number): string | undefined {
  const known = MINORS[minor];
  return known === undefined ? undefined : `v1.${String(minor)}.${String(known.last)}`;
}

/** kubeadm took registry.k8s.io from 1.25 on, and from the last patch releases of the three before. */
function hostOf(minor: number, patch: number): string {
  const since: Readonly<Record<number, number>> = { 21: Infinity, 22: 17, 23: 15, 24: 9 };
  return patch >= (since[minor] ?? 0) ? 'registry.k8s.io' : 'k8s.gcr.io';
}
