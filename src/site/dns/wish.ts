import { isIP } from 'node:net';
import type { Site, SiteHost } from '../../manifest/site-schema.ts';
import { lanCorefile } from './corefile.ts';
import type { SiteNames } from './names.ts';
import { emptyWish, type HostWish } from '../host/wish.ts';
import { componentWish, type CarriedComponent } from '../runtime/wish.ts';

export const DNS_PROGRAM = '/usr/local/bin/coredns';
const COREFILE = '/etc/deliver/dns/Corefile';
const UNIT_NAME = 'deliver-dns.service';
const UNIT = `/etc/systemd/system/${UNIT_NAME}`;

/** The hosts that answer names for the site’s network, by `ingress.dns` of the site file. */
export function dnsHosts({ ingress, roles, hosts = [] }: Pick<Site, 'ingress' | 'roles' | 'hosts'>): SiteHost[] {
  if (ingress?.dns === undefined) return [];
  const names = roles?.[ingress.dns.on] ?? [];
  return hosts.filter(({ name }) => names.includes(name));
}

/**
 * A CoreDNS on a host, for laptops and machines of the site’s network.
 * @param program absent when it lies there already
 */
export function dnsWish(host: SiteHost, names: SiteNames, program: CarriedComponent | undefined): HostWish {
  const placed = program === undefined ? undefined : componentWish(program);
  // On its own address only: port 53 of the loopback is systemd-resolved's.
  const bind = [...new Set([host.address, host.internalAddress])].filter(
    (address) => address !== undefined && isIP(address) !== 0,
  );
  return {
    ...emptyWish(host.name),
    components: placed === undefined ? [] : [placed],
    files: [
      { path: COREFILE, content: lanCorefile(names, { bind: bind.flatMap((address) => address ?? []) }) },
      { path: UNIT, content: UNIT_TEXT },
    ],
    units: [
      {
        name: UNIT_NAME,
        wanted: 'running',
        restartOn: ['coredns', COREFILE, UNIT],
        // It ends at once when another name server has the port.
        check: `sleep 1; systemctl is-active --quiet ${UNIT_NAME}`,
      },
    ],
  };
}

const UNIT_TEXT = `# written by deliver; changes are overwritten
[Unit]
Description=Names of the site and of its ingress (deliver)
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=${DNS_PROGRAM} -conf ${COREFILE}
Restart=always
RestartSec=5
NoNewPrivileges=yes
CapabilityBoundingSet=CAP_NET_BIND_SERVICE

[Install]
WantedBy=multi-user.target
`;
