import { CERTS_D } from '../check/containerd.ts';

export const CONTAINERD_CONFIG = '/etc/containerd/config.toml';

export interface ContainerdSettings {
  /** Of containerd, with or without its v. */
  readonly version: string;
  readonly sandboxImage?: string;
  readonly dataFolder?: string;
  /** Root may not lower an OOM score there: without this the sandboxes of static pods die. */
  readonly restrictOomScore: boolean;
}

/** `v1.7.28` → 1007, to compare. */
export function minorOf(version: string): number {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return major * 1000 + minor;
}

/** config.toml in the form that this containerd writes itself: version 2 for 1.x, 3 for 2.x (2.3 reads it, too). */
export function containerdConfig(settings: ContainerdSettings): string {
  const { version, dataFolder = '/var/lib/containerd' } = settings;
  return [
    '# written by deliver; changes are overwritten',
    `version = ${minorOf(version) >= 2000 ? '3' : '2'}`,
    `root = ${quoted(dataFolder)}`,
    '',
    ...(minorOf(version) >= 2000 ? version3(settings) : version2(settings)),
    '',
  ].join('\n');
}

function version2({ sandboxImage, restrictOomScore }: ContainerdSettings): string[] {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return [
    `[${cri}]`,
    ...(sandboxImage === undefined ? [] : [`  sandbox_image = ${quoted(sandboxImage)}`]),
    ...(restrictOomScore ? ['  restrict_oom_score_adj = true'] : []),
    `  [${cri}.cni]`,
    '    bin_dir = "/opt/cni/bin"',
    '    conf_dir = "/etc/cni/net.d"',
    `  [${cri}.containerd]`,
    '    default_runtime_name = "runc"',
    ...runc(`${cri}.containerd.runtimes.runc`),
    `  [${cri}.registry]`,
    `    config_path = "${CERTS_D}"`,
  ];
}

function version3({ version, sandboxImage, restrictOomScore }: ContainerdSettings): string[] {
  const runtime = "plugins.'io.containerd.cri.v1.runtime'";
  const images = "plugins.'io.containerd.cri.v1.images'";
  return [
    `[${images}]`,
    ...(sandboxImage === undefined ? [] : [`  [${images}.pinned_images]`, `    sandbox = ${quoted(sandboxImage)}`]),
    `  [${images}.registry]`,
    `    config_path = "${CERTS_D}"`,
    `[${runtime}]`,
    ...(restrictOomScore ? ['  restrict_oom_score_adj = true'] : []),
    `  [${runtime}.cni]`,
    minorOf(version) >= 2001 ? '    bin_dirs = ["/opt/cni/bin"]' : '    bin_dir = "/opt/cni/bin"',
    '    conf_dir = "/etc/cni/net.d"',
    `  [${runtime}.containerd]`,
    '    default_runtime_name = "runc"',
    ...runc(`${runtime}.containerd.runtimes.runc`),
  ];
}

/** systemd is the cgroup driver that kubeadm gives the kubelet; both must have the same. */
function runc(table: string): string[] {
  return [
    `    [${table}]`,
    '      runtime_type = "io.containerd.runc.v2"',
    `      [${table}.options]`,
    '        BinaryName = "/usr/local/sbin/runc"',
    '        SystemdCgroup = true',
  ];
}

/** A TOML basic string; JSON's escapes are among its own. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
