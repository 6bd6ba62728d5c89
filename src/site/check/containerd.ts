import { check, type Check } from './check.ts';
import type { ContainerdFacts, HostFacts } from './host-facts.ts';

/** Folder of the hosts.toml files that deliver writes. */
export const CERTS_D = '/etc/containerd/certs.d';

const OTHERS: Readonly<Record<string, string>> = { crio: 'CRI-O', k3s: 'k3s', rke2: 'RKE2' };

/** Whether a node's containerd runs, and whether it will look into the folder where the mirrors are written. */
export function containerdChecks(host: string, facts: HostFacts, wanted = 'containerd'): Check[] {
  const runtime = check('containerd', 'container runtime');
  const { containerd, otherRuntime } = facts;
  if (otherRuntime !== undefined && containerd?.running !== true) {
    const name = OTHERS[otherRuntime] ?? otherRuntime;
    if (otherRuntime === wanted) return [runtime.pass({ host, found: name })];
    return [
      runtime.fail({
        host,
        found: `${name}, and the site file ${wanted === 'containerd' ? 'names no runtime' : `says ${wanted}`}: its mirrors are written in another way`,
        fix: `Write runtime: { kind: ${otherRuntime} } in the site file.`,
      }),
    ];
  }
  if (containerd === undefined) {
    return [
      runtime.fail({
        host,
        found: 'containerd is not installed',
        fix: `Install containerd on ${host}. deliver installs it only on nodes of a cluster that it makes (no cluster: in the site file).`,
      }),
    ];
  }
  const version = containerd.version ?? 'of unknown version';
  if (!containerd.running) {
    return [runtime.fail({ host, found: `containerd ${version} does not run`, fix: 'systemctl enable --now containerd' })];
  }
  return [runtime.pass({ host, found: `containerd ${version}` }), configCheck(host, containerd), ...proxyCheck(host, containerd)];
}

function configCheck(host: string, containerd: ContainerdFacts): Check {
  const config = check('containerd-mirrors', 'containerd reads certs.d');
  if (containerd.criDisabled) {
    return config.fail({
      host,
      found: 'its CRI plugin is disabled (disabled_plugins), as in the packages of docker.com',
      fix: 'Remove "cri" from disabled_plugins in /etc/containerd/config.toml, then: systemctl restart containerd',
    });
  }
  if (containerd.mirrors) {
    return config.fail({
      host,
      found: 'its config.toml has the old registry.mirrors tables; together with config_path the CRI plugin would not start',
      fix: `In /etc/containerd/config.toml remove every registry.mirrors and registry.configs table, and add\n${lines(containerd)}\nthen: systemctl restart containerd`,
    });
  }
  if (containerd.configPath.includes(CERTS_D)) return config.pass({ host, found: CERTS_D });
  if (containerd.configPath.length === 0 && hasDefaultPath(containerd))
    return config.pass({ host, found: `${CERTS_D}, the default since 2.2` });
  const found =
    containerd.configPath.length === 0
      ? 'config_path is not set: hosts.toml files are ignored'
      : `config_path is ${containerd.configPath.join(':')}`;
  return config.fail({
    host,
    found,
    fix: `Add to /etc/containerd/config.toml\n${lines(containerd)}\nthen: systemctl restart containerd`,
  });
}

function proxyCheck(host: string, containerd: ContainerdFacts): Check[] {
  if (!containerd.proxy) return [];
  return [
    check('containerd-proxy', 'containerd without a proxy').warn({
      host,
      found: 'the containerd service has an HTTP proxy in its environment: pulls may go there instead of the registry',
      fix: 'systemctl edit containerd: remove the proxy, or add the registry to NO_PROXY; then: systemctl restart containerd',
    }),
  ];
}

function lines({ version }: ContainerdFacts): string {
  const major = Number(version?.split('.')[0] ?? '1');
  // A version-2 file is read by every containerd since 1.3; one that was written for 2.x names the plugin anew.
  const table =
    major >= 2 ? `[plugins.'io.containerd.cri.v1.images'.registry]` : `[plugins."io.containerd.grpc.v1.cri".registry]`;
  return `    ${table}\n      config_path = "${CERTS_D}"`;
}

function hasDefaultPath({ version }: ContainerdFacts): boolean {
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  return major > 2 || (major === 2 && minor >= 2);
}
