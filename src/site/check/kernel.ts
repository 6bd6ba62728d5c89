import semver from 'semver';
import { bytesText } from '../../core/amounts.ts';
import { check, type Check } from './check.ts';
import type { BuildFacts } from './facts.ts';
import { isNode, type BuildNeeds, type HostDuty } from './needs.ts';

/** From this version on kubelet and kubeadm refuse cgroup v1. */
const NEEDS_CGROUP_2 = '1.35.0';
const INOTIFY = 128;
/** Of systemd itself: no unit gets more. */
const OPEN_FILES = 16_384;

/** What the kernel of a node must allow; a host without a kubelet is asked for its limits only. */
export function kernelChecks(host: string, facts: BuildFacts, duty: HostDuty, needs: BuildNeeds): Check[] {
  if (!isNode(duty)) return [limitCheck(host, facts)];
  return [
    cgroupCheck(host, facts, needs),
    swapCheck(host, facts),
    moduleCheck(host, facts),
    sysctlCheck(host, facts),
    limitCheck(host, facts),
    oomCheck(host, facts),
  ];
}

function cgroupCheck(host: string, { cgroup }: BuildFacts, { kubernetes }: BuildNeeds): Check {
  const outcome = check('cgroup', 'cgroup');
  if (cgroup === 2) return outcome.pass({ host, found: 'version 2' });
  if (kubernetes === undefined || semver.lt(kubernetes, NEEDS_CGROUP_2))
    return outcome.pass({ host, found: 'version 1: good until Kubernetes 1.34; deliver tells the kubelet' });
  return outcome.fail({
    host,
    found: `version 1, and Kubernetes ${kubernetes} needs version 2`,
    fix: `Boot ${host} with systemd.unified_cgroup_hierarchy=1 on the kernel’s command line, or stay at Kubernetes 1.34.`,
  });
}

function swapCheck(host: string, { swap, container, available }: BuildFacts): Check {
  const outcome = check('swap', 'swap');
  if (swap.length === 0) return outcome.pass({ host, found: 'none' });
  const amount = bytesText(swap.reduce((sum, { kilobytes }) => sum + Number(kilobytes) * 1024, 0));
  if (container !== undefined) return outcome.pass({ host, found: `${amount} of the machine around it` });
  const used = swap.reduce((sum, one) => sum + Number(one.used) * 1024, 0);
  // Its pages have to go somewhere: with too little memory the kernel kills programs instead.
  if (available !== undefined && used > available) {
    return outcome.fail({
      host,
      found: `${bytesText(used)} of swap are in use, and ${bytesText(available)} of memory are free: switching it off would run out of memory`,
      fix: `Stop what needs the memory on ${host}, or give it at least ${bytesText(used - available)} more; then: swapoff -a`,
    });
  }
  return outcome.pass({ host, found: `${amount} on ${swap.map(({ device }) => device).join(', ')}: deliver switches it off` });
}

function moduleCheck(host: string, { module }: BuildFacts): Check {
  const outcome = check('modules', 'kernel modules');
  const missing = module.filter(({ state }) => state === 'missing').map(({ name }) => name);
  if (missing.length === 0) return outcome.pass({ host, found: module.map(({ name, state }) => `${name} ${state}`).join(', ') });
  return outcome.fail({
    host,
    found: `${missing.join(', ')}: neither loaded, built in, nor loadable`,
    fix: `Install the full kernel package of ${host} (linux-modules-extra or kernel-modules), then: modprobe -a ${missing.join(' ')}`,
  });
}

function sysctlCheck(host: string, { sysctl }: BuildFacts): Check {
  const outcome = check('sysctl', 'kernel settings');
  const stuck = sysctl.filter(({ value, settable }) => settable === 'no' && value !== '1');
  if (stuck.length === 0) return outcome.pass({ host });
  const names = stuck.map(({ key }) => key).join(', ');
  return outcome.fail({
    host,
    found: `${names} is off and can’t be set`,
    fix: `Set ${names} to 1 where ${host} gets its kernel settings from.`,
  });
}

function limitCheck(host: string, { inotify, files }: BuildFacts): Check {
  const outcome = check('limits', 'limits');
  const small = [
    ...(inotify < INOTIFY ? [`fs.inotify.max_user_instances is ${String(inotify)} (${String(INOTIFY)} or more)`] : []),
    ...(files < OPEN_FILES ? [`hard limit of open files is ${String(files)} (${String(OPEN_FILES)} or more)`] : []),
  ];
  if (small.length === 0) return outcome.pass({ host });
  return outcome.warn({
    host,
    found: small.join('; '),
    fix: `Raise it on ${host} (/etc/sysctl.d, DefaultLimitNOFILE in /etc/systemd/system.conf): containers run out of files.`,
  });
}

/** Both are the habits of a container that plays a host; deliver writes the settings that go with them. */
function oomCheck(host: string, { oom, conntrack }: BuildFacts): Check {
  const outcome = check('oom', 'rights of root');
  const less = [
    ...(oom === 'restricted' ? ['may not lower an OOM score'] : []),
    ...(conntrack === 'fixed' ? ['may not resize the connection table'] : []),
  ];
  return outcome.pass({
    host,
    found: less.length === 0 ? 'all' : `${less.join(', ')}: containerd and kube-proxy are set up for that`,
  });
}
