import ipaddr from 'ipaddr.js';
import { check, type Check } from './check.ts';
import type { BuildFacts } from './facts.ts';
import type { BuildNeeds, HostDuty } from './needs.ts';

/** Devices that network plugins and runtimes make: their routes are the cluster’s own. */
const CLUSTER_DEVICES = /^(?:cni|flannel|cali|tunl|vxlan|kube|veth|cilium|lxc|nodelocaldns)/;

/** Ports, names, addresses and firewalls of one host. */
export function networkChecks(host: string, facts: BuildFacts, duty: HostDuty, needs: BuildNeeds): Check[] {
  return [
    portCheck(host, facts, duty),
    addressCheck(host, facts, duty),
    ...needs.names.map((wanted) => nameCheck(host, facts, wanted)),
    overlapCheck(host, facts, needs),
    ...firewallChecks(host, facts, duty),
    ...proxyChecks(host, facts),
  ];
}

/** What the site file itself says: pods against services. */
export function cidrChecks({ pods, services }: Pick<BuildNeeds, 'pods' | 'services'>): Check[] {
  const outcome = check('cidr', 'pod and service networks');
  const unreadable = [...pods, ...services].filter((cidr) => !ipaddr.isValidCIDR(cidr));
  if (unreadable.length > 0)
    return [
      outcome.fail({
        found: `${unreadable.join(', ')} is no network`,
        fix: 'Write network.pods and network.services like 10.244.0.0/16.',
      }),
    ];
  const both = pods.flatMap((pod) =>
    services.filter((service) => overlap(pod, service)).map((service) => `${pod} and ${service}`),
  );
  if (both.length === 0) return [outcome.pass({ found: `${pods.join(', ')} and ${services.join(', ')}` })];
  return [
    outcome.fail({
      found: `they overlap: ${both.join('; ')}`,
      fix: 'Choose other network.pods or network.services in the site file.',
    }),
  ];
}

function portCheck(host: string, { listen }: BuildFacts, { ports }: HostDuty): Check {
  const outcome = check('ports', 'ports');
  const taken = ports.flatMap(({ port, what, by }) => {
    const holders = listen.filter((one) => one.port === String(port) && !by.includes(one.holder)).map(({ holder }) => holder);
    return holders.length === 0
      ? []
      : [{ port, text: `${String(port)} (${what}) is held by ${holders.join(', ').replace('?', 'some process')}` }];
  });
  if (taken.length === 0) return outcome.pass({ host, found: ports.map(({ port }) => port).join(', ') });
  const list = taken.map(({ port }) => `sport = :${String(port)}`).join(' or ');
  return outcome.fail({
    host,
    found: taken.map(({ text }) => text).join('; '),
    fix: `Stop and disable what holds it on ${host}: ss -ltnp '${list}'`,
  });
}

function addressCheck(host: string, { address }: BuildFacts, duty: HostDuty): Check {
  const outcome = check('address', 'address');
  const own = address.map(({ cidr }) => cidr.replace(/\/.*$/, ''));
  if (duty.address === undefined || own.length === 0 || own.includes(duty.address))
    return outcome.pass({ host, found: duty.address ?? 'a name' });
  return outcome.fail({
    host,
    found: `${duty.address} is not an address of it; it has ${own.join(', ')}`,
    fix: `Add internalAddress: <the one that the other hosts reach> to host ${host} in the site file.`,
  });
}

function nameCheck(host: string, { resolved }: BuildFacts, { name, address, written }: BuildNeeds['names'][number]): Check {
  const outcome = check('name', 'names');
  const found = resolved.find((one) => one.name === name)?.addresses ?? [];
  if (written) return outcome.pass({ host, found: `${name}: deliver writes it to /etc/hosts` });
  if (found.length === 0) {
    const line = address === undefined ? `<address> ${name}` : `${address} ${name}`;
    return outcome.fail({
      host,
      found: `${name} can’t be resolved`,
      fix: `Add it to the site’s DNS, or to /etc/hosts of ${host}:  ${line}`,
    });
  }
  if (address !== undefined && !found.includes(address))
    return outcome.warn({
      host,
      found: `${name} is ${found.join(', ')} there, and ${address} in the site file`,
      fix: 'Correct the one that is wrong.',
    });
  return outcome.pass({ host, found: `${name} is ${found.join(', ')}` });
}

function overlapCheck(
  host: string,
  { route, address, ours }: BuildFacts,
  { pods, services, members, duties }: BuildNeeds,
): Check {
  const outcome = check('routes', 'routes');
  // Network plugins route pods through the hosts' own devices too.
  if (ours.includes('kubernetes') || members.has(host)) return outcome.pass({ host, found: 'those of its cluster' });
  const peers = new Set([...duties.values()].map((duty) => duty.address));
  const isOld = ({ cidr, via }: BuildFacts['route'][number]): boolean => peers.has(via) && pods.some((own) => overlap(own, cidr));
  const known = [...route.filter((one) => !isOld(one)), ...address].filter(({ device }) => !CLUSTER_DEVICES.test(device));
  const hits = [...pods.map((cidr) => ({ cidr, of: 'pods' })), ...services.map((cidr) => ({ cidr, of: 'services' }))].flatMap(
    (own) => known.filter(({ cidr }) => overlap(own.cidr, cidr)).map(({ cidr, device }) => ({ ...own, other: cidr, device })),
  );
  const [hit] = hits;
  const old = route.filter(isOld);
  if (hit === undefined && old.length > 0) {
    return outcome.warn({
      host,
      found: `${old.map(({ cidr, via }) => `${cidr} via ${via}`).join(', ')}: left by a cluster that was on these hosts`,
      fix: `On ${host}: ${old.map(({ cidr }) => `ip route del ${cidr}`).join('; ')}`,
    });
  }
  if (hit === undefined) return outcome.pass({ host });
  const texts = [
    ...new Set(hits.map(({ cidr, of, other, device }) => `${other} (${device}) lies in the network of the ${of}, ${cidr}`)),
  ];
  return outcome.fail({
    host,
    found: texts.join('; '),
    fix: `Choose another ${[...new Set(hits.map(({ of }) => `network.${of}`))].join(' and another ')} in the site file: what is there could not be reached from pods any more.`,
  });
}

/** One for each that stands in the way: what is mended for one alone would only show the next. */
function firewallChecks(host: string, { firewall, selinux }: BuildFacts, { ports }: HostDuty): Check[] {
  const found: Check[] = [];
  const outcome = check('firewall', 'firewall');
  const list = ports.map(({ port }) => String(port));
  if (firewall.includes('firewalld'))
    found.push(
      outcome.warn({
        host,
        found: 'firewalld is active',
        fix: `systemctl disable --now firewalld on ${host}, or: firewall-cmd --permanent ${list.map((port) => `--add-port=${port}/tcp`).join(' ')}; firewall-cmd --reload (and the ports of the network plugin: 8472/udp for flannel)`,
      }),
    );
  if (firewall.includes('ufw'))
    found.push(
      outcome.warn({
        host,
        found: 'ufw is active',
        fix: `ufw disable on ${host}, or allow ${list.join(', ')}/tcp and the ports of the network plugin.`,
      }),
    );
  if (selinux === '1')
    found.push(
      outcome.warn({
        host,
        found: 'SELinux is enforcing',
        fix: `Install container-selinux on ${host}, or setenforce 0 and SELINUX=permissive in /etc/selinux/config.`,
      }),
    );
  return found.length === 0 ? [outcome.pass({ host })] : found;
}

function proxyChecks(host: string, { proxy }: BuildFacts): Check[] {
  if (proxy === undefined) return [];
  return [
    check('proxy', 'no proxy').warn({
      host,
      found: `${proxy} sets an HTTP proxy: kubeadm copies it into the control plane`,
      fix: `Remove it on ${host}, or add the hosts, pods and services to no_proxy.`,
    }),
  ];
}

function overlap(one: string, other: string): boolean {
  const a = range(one);
  const b = range(other);
  if (a === undefined || b === undefined) return false;
  const [[first, firstBits], [second, secondBits]] = [a, b];
  return first.kind() === second.kind() && first.match(second, Math.min(firstBits, secondBits));
}

function range(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] | undefined {
  const full = text.includes('/') ? text : `${text}/${text.includes(':') ? '128' : '32'}`;
  return ipaddr.isValidCIDR(full) ? ipaddr.parseCIDR(full) : undefined;
}
