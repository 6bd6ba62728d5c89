import { CERTS_D } from '../check/containerd.ts';
import type { HostState } from '../host/state.ts';
import type { ComponentBlob, HostWish, Layout, PackagedRule, WishedComponent, WishedFile } from '../host/wish.ts';
import { containerdConfig, CONTAINERD_CONFIG, minorOf } from './containerd.ts';
import { CONTAINERD_UNIT, KUBEADM_DROP_IN, KUBELET_UNIT } from './units.ts';

/** A component of the lock that is for this host's platform. */
export interface CarriedComponent {
  readonly name: string;
  readonly version: string;
  readonly blob: ComponentBlob;
  /** By platform, where it is carried for several. */
  readonly blobs?: ReadonlyMap<string, ComponentBlob>;
}

/** Where each component goes. Harbor's installer is the registry step's own business. */
const LAYOUTS: Readonly<Record<string, Layout>> = {
  containerd: { kind: 'archive', into: '/usr/local/bin', root: 'bin' },
  runc: { kind: 'program', path: '/usr/local/sbin/runc' },
  'cni-plugins': { kind: 'archive', into: '/opt/cni/bin' },
  crictl: { kind: 'archive', into: '/usr/local/bin', only: ['crictl'] },
  helm: { kind: 'archive', into: '/usr/local/bin', root: '*', only: ['helm'] },
  etcd: { kind: 'archive', into: '/usr/local/bin', root: '*', only: ['etcd', 'etcdctl', 'etcdutl'] },
  kubeadm: { kind: 'program', path: '/usr/local/bin/kubeadm' },
  kubelet: { kind: 'program', path: '/usr/local/bin/kubelet' },
  kubectl: { kind: 'program', path: '/usr/local/bin/kubectl' },
  calicoctl: { kind: 'program', path: '/usr/local/bin/calicoctl' },
  registry: { kind: 'archive', into: '/usr/local/bin', only: ['registry'] },
  coredns: { kind: 'archive', into: '/usr/local/bin', only: ['coredns'] },
};

/** A component as what should be on a host. Undefined for one that deliver doesn't place by itself. */
export function componentWish(carried: CarriedComponent): WishedComponent | undefined {
  const layout = LAYOUTS[carried.name];
  return layout === undefined ? undefined : { ...carried, layout };
}

export interface RuntimeOptions {
  /** `registry.k8s.io/pause:3.10`: the one of kubeadm's image list; containerd's own choice when absent. */
  readonly sandboxImage?: string;
  /** /var/lib/containerd when absent. */
  readonly dataFolder?: string;
}

/** containerd, runc, CNI plugins and crictl with what makes them run. */
export function runtimeWish(components: readonly CarriedComponent[], options: RuntimeOptions): Partial<HostWish> {
  const containerd = components.find(({ name }) => name === 'containerd');
  const wished = components
    .filter(({ name }) => ['containerd', 'runc', 'cni-plugins', 'crictl'].includes(name))
    .flatMap((carried): WishedComponent[] => {
      const one = componentWish(carried);
      return one === undefined ? [] : [carried.name === 'containerd' ? { ...one, packaged: PACKAGED_CONTAINERD } : one];
    });
  if (containerd === undefined) return { components: wished };
  const config: WishedFile = {
    path: CONTAINERD_CONFIG,
    content: (state) => containerdConfig({ version: containerd.version, ...options, restrictOomScore: state.oomRestricted }),
    unlessPackaged: 'containerd',
    guarded: ({ containers }) =>
      containers === 0
        ? undefined
        : {
            why: `${CONTAINERD_CONFIG} is not deliver’s, and ${String(containers)} containers run with it`,
            fix: `Move ${CONTAINERD_CONFIG} aside when that node may be interrupted, and run the same command again.`,
          },
  };
  return {
    components: wished,
    files: [
      config,
      { path: '/etc/systemd/system/containerd.service', content: CONTAINERD_UNIT, unlessPackaged: 'containerd' },
      { path: '/etc/crictl.yaml', content: CRICTL },
    ],
    units: [
      {
        name: 'containerd.service',
        wanted: 'running',
        restartOn: ['containerd', 'runc', CONTAINERD_CONFIG, '/etc/systemd/system/containerd.service'],
        // It starts without its CRI plugin when that one can't read its configuration.
        check: `/usr/local/bin/ctr plugins ls | awk '$1 == "io.containerd.grpc.v1" && $2 == "cri" && $NF == "ok" { ok = 1 } END { exit !ok }'`,
        unlessPackaged: 'containerd',
      },
    ],
  };
}

/** kubeadm, kubelet, kubectl and the kubelet's unit, which kubeadm starts; another version stays: an upgrade has its own order. */
export function kubernetesWish(components: readonly CarriedComponent[]): Partial<HostWish> {
  return {
    components: components
      .filter(({ name }) => ['kubeadm', 'kubelet', 'kubectl'].includes(name))
      .flatMap((carried): WishedComponent[] => {
        const one = componentWish(carried);
        return one === undefined ? [] : [{ ...one, unlessPlaced: true, packaged: packagedKubernetes(carried) }];
      }),
    files: [
      { path: '/etc/systemd/system/kubelet.service', content: KUBELET_UNIT, unlessPackaged: 'kubelet' },
      { path: '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf', content: KUBEADM_DROP_IN, unlessPackaged: 'kubelet' },
    ],
    units: [{ name: 'kubelet.service', wanted: 'enabled', restartOn: [] }],
  };
}

const CRICTL = `# written by deliver; changes are overwritten
runtime-endpoint: unix:///run/containerd/containerd.sock
image-endpoint: unix:///run/containerd/containerd.sock
timeout: 10
`;

/** A package's containerd is never mixed with ours: it is used as it is when it is set up as Kubernetes needs it. */
const PACKAGED_CONTAINERD: PackagedRule = {
  program: 'containerd',
  with: ['runc'],
  refuses: (version, state) => {
    const remove = 'remove that package, and deliver places the release’s containerd (or mend it, and it is used as it is)';
    if (minorOf(version) < 1006) {
      return { why: `containerd ${version} of the distribution’s package is too old`, fix: `On ${state.host} ${remove}.` };
    }
    const { systemdCgroup, configPath, criDisabled } = state.containerd;
    const readsMirrors = configPath.includes(CERTS_D) || (configPath.length === 0 && minorOf(version) >= 2002);
    const wrong = [
      ...(state.units.get('containerd.service')?.active === true ? [] : ['it does not run']),
      ...(criDisabled ? ['its CRI plugin is disabled'] : []),
      ...(systemdCgroup ? [] : ['SystemdCgroup is not true']),
      ...(readsMirrors ? [] : [`config_path is not ${CERTS_D}`]),
    ];
    if (wrong.length === 0) return undefined;
    return {
      why: `containerd ${version} of the distribution’s package: ${wrong.join(', ')}`,
      fix: `On ${state.host} ${remove}.`,
    };
  },
};

function packagedKubernetes({ name, version }: CarriedComponent): PackagedRule {
  return {
    program: name,
    refuses: (found, { host }: HostState) =>
      found === version.replace(/^v/, '')
        ? undefined
        : {
            why: `${name} ${found} of the distribution’s package is there, and the release has ${version}`,
            fix: `Remove the packages kubeadm, kubelet and kubectl on ${host}, or name that cluster as cluster: in the site file.`,
          },
  };
}
