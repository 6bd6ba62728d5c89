import semver from 'semver';
import { bytesText, countText } from '../../core/amounts.ts';
import { check, type Check } from './check.ts';
import type { BuildFacts } from './facts.ts';
import { isNode, type BuildNeeds, type HostDuty } from './needs.ts';
import { programCheck } from './programs.ts';

/** kubeadm’s own minimum for a control plane (ControlPlaneNumCPU, ControlPlaneMem in its constants.go). */
const CONTROL_PLANE = { cpus: 2, memory: 1700 * 1024 ** 2 };
/** Harbor’s installation prerequisites. */
const HARBOR = { cpus: 2, memory: 4e9 };
const SMALL = 900e6;
/** Families that this was tried on or that follow one of them, and the oldest version of each. */
const SYSTEMS: Readonly<Record<string, number>> = {
  debian: 11,
  ubuntu: 20.04,
  rhel: 8,
  rocky: 8,
  almalinux: 8,
  ol: 8,
  centos: 8,
  openEuler: 20.03,
  sles: 15,
  'opensuse-leap': 15,
  amzn: 2023,
};
/** The oldest kernel that Kubernetes still tests with (system-validators). */
const KERNEL = '4.19.0';
const LONG_UP = 365 * 86_400;

/** What a machine is: system, size, programs, and when it was started. */
export function machineChecks(host: string, facts: BuildFacts, duty: HostDuty, needs: BuildNeeds): Check[] {
  return [
    systemCheck(host, facts),
    kernelCheck(host, facts),
    ...containerChecks(host, facts),
    cpuCheck(host, facts, duty),
    memoryCheck(host, facts, duty),
    systemdCheck(host, facts),
    programCheck(host, facts, duty, needs),
    bootCheck(host, facts),
  ];
}

/** Its architecture against the site file and against what the release carries. */
export function platformChecks(host: string, platform: string, duty: HostDuty, needs: BuildNeeds): Check[] {
  const arch = check('arch', 'architecture');
  const own = platform.replace(/^linux\//, '');
  if (duty.arch !== undefined && duty.arch !== own)
    return [
      arch.fail({
        host,
        found: `${own}; the site file says ${duty.arch}`,
        fix: `Correct arch: of host ${host}, or its address.`,
      }),
    ];
  if (needs.platforms === undefined || needs.platforms.includes(platform)) return [arch.pass({ host, found: platform })];
  return [
    arch.fail({
      host,
      found: `${platform}; the release carries programs for ${needs.platforms.join(', ')}`,
      fix: `On the connected side add ${platform} to platforms: of the release, resolve and pack again.`,
    }),
  ];
}

function containerChecks(host: string, { container }: BuildFacts): Check[] {
  if (container === undefined) return [];
  return [check('container', 'real machine').pass({ host, found: `a container itself (${container}): its kernel is shared` })];
}

function systemCheck(host: string, { os }: BuildFacts): Check {
  const system = check('os', 'operating system');
  const oldest = SYSTEMS[os.id];
  if (oldest === undefined) {
    return system.warn({
      host,
      found: `${os.title}: not one that deliver was tried on`,
      fix: 'Try it on one host of this kind first.',
    });
  }
  if (Number.parseFloat(os.version) < oldest)
    return system.warn({
      host,
      found: `${os.title}: older than ${os.id} ${String(oldest)}`,
      fix: 'Upgrade the system of that host.',
    });
  return system.pass({ host, found: os.title });
}

function kernelCheck(host: string, { kernel }: BuildFacts): Check {
  const outcome = check('kernel', 'kernel');
  const version = semver.coerce(kernel);
  if (version === null || semver.gte(version, KERNEL)) return outcome.pass({ host, found: kernel });
  return outcome.warn({
    host,
    found: `${kernel}: Kubernetes is tested with ${KERNEL} and newer`,
    fix: 'Install a newer kernel there.',
  });
}

function cpuCheck(host: string, { cpus }: BuildFacts, { roles, registry }: HostDuty): Check {
  const outcome = check('cpu', 'CPUs');
  const found = countText(cpus, 'CPU');
  if (roles.includes('control-plane') && cpus < CONTROL_PLANE.cpus) {
    return outcome.fail({
      host,
      found: `${found}; a control plane needs ${String(CONTROL_PLANE.cpus)}`,
      fix: `Give ${host} ${String(CONTROL_PLANE.cpus)} CPUs or more.`,
    });
  }
  if (registry === 'harbor' && cpus < HARBOR.cpus)
    return outcome.warn({ host, found: `${found}; Harbor wants ${String(HARBOR.cpus)}`, fix: `Give ${host} more CPUs.` });
  return outcome.pass({ host, found });
}

function memoryCheck(host: string, { memory }: BuildFacts, duty: HostDuty): Check {
  const outcome = check('memory', 'memory');
  const found = bytesText(memory);
  if (duty.roles.includes('control-plane') && memory < CONTROL_PLANE.memory) {
    return outcome.fail({
      host,
      found: `${found}; a control plane needs ${bytesText(CONTROL_PLANE.memory)}`,
      fix: `Give ${host} at least ${bytesText(CONTROL_PLANE.memory - memory)} more.`,
    });
  }
  if (duty.registry === 'harbor' && memory < HARBOR.memory)
    return outcome.warn({ host, found: `${found}; Harbor wants ${bytesText(HARBOR.memory)}`, fix: `Give ${host} more memory.` });
  if (isNode(duty) && memory < SMALL)
    return outcome.warn({ host, found: `${found}: little is left for pods`, fix: `Give ${host} more memory.` });
  return outcome.pass({ host, found });
}

function systemdCheck(host: string, { systemd }: BuildFacts): Check {
  const outcome = check('systemd', 'systemd');
  if (systemd) return outcome.pass({ host });
  return outcome.fail({
    host,
    found: 'does not run there: what deliver installs are systemd units',
    fix: 'Use a host that is started by systemd.',
  });
}

function bootCheck(host: string, { uptime, reboot }: BuildFacts): Check {
  const outcome = check('boot', 'last boot');
  const days = Math.floor(uptime / 86_400);
  const found = days > 0 ? `${countText(days, 'day')} ago` : `${countText(Math.floor(uptime / 60), 'minute')} ago`;
  if (reboot)
    return outcome.warn({
      host,
      found: `${found}, and updates wait for a reboot`,
      fix: `Reboot ${host} now rather than after the install.`,
    });
  if (uptime > LONG_UP)
    return outcome.warn({
      host,
      found: `${found}: whether it comes up again is not known`,
      fix: `Reboot ${host} before the install.`,
    });
  return outcome.pass({ host, found });
}
