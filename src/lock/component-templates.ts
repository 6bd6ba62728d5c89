import { gte, parse } from 'semver';
import type { ProgramName } from '../manifest/component-schema.ts';

/** Where a project publishes a program, and the checksum beside it. */
export interface ComponentTemplate {
  /** URL with {version}, {arch} and {os}. A bare version comes in for projects whose addresses change with it. */
  readonly url: string | ((bareVersion: string) => string);
  /** True where the project spells versions with a `v`; {version} is filled in that way. */
  readonly v: boolean;
  /** How the project spells the two architectures; GNU names where it does. */
  readonly arch: 'go' | 'gnu';
  readonly checksum?: ComponentChecksum;
}

/** A file with checksums: `suffix` is put behind the URL of the program, `sibling` takes the place of its file name. */
export type ComponentChecksum = {
  readonly algorithm: 'sha256' | 'md5';
} & ({ readonly suffix: string } | { readonly sibling: string });

/** Programs that are an image: haproxy and kube-vip run as static pods, so no file of theirs is carried. */
export type FileComponent = Exclude<ProgramName, 'haproxy' | 'kube-vip'>;

const github = (repository: string, file: string): string => `https://github.com/${repository}/releases/download/${file}`;
const sha256 = (place: { suffix: string } | { sibling: string }): ComponentChecksum => ({ algorithm: 'sha256', ...place });
const kubernetes = (program: string): ComponentTemplate => ({
  url: `https://dl.k8s.io/release/{version}/bin/{os}/{arch}/${program}`,
  v: true,
  arch: 'go',
  checksum: sha256({ suffix: '.sha256' }),
});

/** Harbor has one installer, for amd64, up to 2.15, and one for each architecture from 2.16 on. */
const HARBOR_PER_ARCH = '2.16.0';

/** Every program that is a file, as its project publishes it. */
export const COMPONENT_TEMPLATES: Readonly<Record<FileComponent, ComponentTemplate>> = {
  kubeadm: kubernetes('kubeadm'),
  kubelet: kubernetes('kubelet'),
  kubectl: kubernetes('kubectl'),
  containerd: {
    url: github('containerd/containerd', 'v{version}/containerd-{version}-{os}-{arch}.tar.gz'),
    v: false,
    arch: 'go',
    checksum: sha256({ suffix: '.sha256sum' }),
  },
  runc: {
    url: github('opencontainers/runc', '{version}/runc.{arch}'),
    v: true,
    arch: 'go',
    checksum: sha256({ sibling: 'runc.sha256sum' }),
  },
  'cni-plugins': {
    url: github('containernetworking/plugins', '{version}/cni-plugins-{os}-{arch}-{version}.tgz'),
    v: true,
    arch: 'go',
    checksum: sha256({ suffix: '.sha256' }),
  },
  crictl: {
    url: github('kubernetes-sigs/cri-tools', '{version}/crictl-{version}-{os}-{arch}.tar.gz'),
    v: true,
    arch: 'go',
    checksum: sha256({ suffix: '.sha256' }),
  },
  helm: {
    url: 'https://get.helm.sh/helm-{version}-{os}-{arch}.tar.gz',
    v: true,
    arch: 'go',
    checksum: sha256({ suffix: '.sha256sum' }),
  },
  etcd: {
    url: github('etcd-io/etcd', '{version}/etcd-{version}-{os}-{arch}.tar.gz'),
    v: true,
    arch: 'go',
    checksum: sha256({ sibling: 'SHA256SUMS' }),
  },
  harbor: {
    url: (version) =>
      github('goharbor/harbor', `{version}/harbor-offline-installer-{version}${isPerArch(version) ? '-{arch}' : ''}.tgz`),
    v: true,
    arch: 'go',
    checksum: { algorithm: 'md5', sibling: 'md5sum' },
  },
  docker: { url: 'https://download.docker.com/{os}/static/stable/{arch}/docker-{version}.tgz', v: false, arch: 'gnu' },
  'docker-compose': {
    url: github('docker/compose', '{version}/docker-compose-{os}-{arch}'),
    v: true,
    arch: 'gnu',
    checksum: sha256({ suffix: '.sha256' }),
  },
  calicoctl: {
    url: github('projectcalico/calico', '{version}/calicoctl-{os}-{arch}'),
    v: true,
    arch: 'go',
    checksum: sha256({ sibling: 'SHA256SUMS' }),
  },
  registry: {
    url: github('distribution/distribution', 'v{version}/registry_{version}_{os}_{arch}.tar.gz'),
    v: false,
    arch: 'go',
    checksum: sha256({ suffix: '.sha256' }),
  },
  coredns: {
    url: github('coredns/coredns', 'v{version}/coredns_{version}_{os}_{arch}.tgz'),
    v: false,
    arch: 'go',
    checksum: sha256({ suffix: '.sha256' }),
  },
};

function isPerArch(version: string): boolean {
  return parse(version) !== null && gte(version, HARBOR_PER_ARCH);
}
