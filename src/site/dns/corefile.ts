import type { NamedAddress, SiteNames } from './names.ts';

/** 0 to 255 without leading zeros: what is no address must not be answered with one. */
const OCTET = '25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9]';
const SECONDS = 60;

/**
 * Lines for the Corefile of the cluster’s own CoreDNS, in a block that answers everything: names of the site, names that carry
 * their address, and the site’s resolvers where it has any. Without those nothing is asked of anybody.
 */
export function clusterNameLines({ named, zones, resolvers }: SiteNames): string {
  return [
    ...hostsLines(named),
    ...addressLines(zones),
    ...(resolvers.length === 0 ? [] : [`forward . ${resolvers.join(' ')}`]),
  ].join('\n');
}

export interface LanCorefileOptions {
  /** Addresses that it listens on; all when empty. */
  readonly bind: readonly string[];
  /** 53 when absent. */
  readonly port?: number;
}

/**
 * The Corefile of the name server for the site’s network: its own names and those that carry their address. Anything else is
 * refused, so that a laptop goes on to its next name server.
 */
export function lanCorefile({ named, zones }: SiteNames, { bind, port = 53 }: LanCorefileOptions): string {
  const names = [...new Set(named.flatMap((one) => one.names))];
  const inZones = (list: readonly string[]): string => list.map((zone) => `${zone}:${String(port)}`).join(' ');
  const shared = [...(bind.length === 0 ? [] : [`bind ${bind.join(' ')}`]), 'errors', `cache ${String(SECONDS)}`];
  return [
    '# written by deliver; changes are overwritten',
    ...(names.length === 0 ? [] : block(inZones(names), [...shared, ...hostsLines(named)])),
    ...block(inZones(zones), [...shared, ...addressLines(zones)]),
    '',
  ].join('\n');
}

function block(head: string, lines: readonly string[]): string[] {
  return [`${head} {`, ...lines.map((line) => `    ${line}`), '}'];
}

function hostsLines(named: readonly NamedAddress[]): string[] {
  if (named.length === 0) return [];
  return [
    // No file: /etc/hosts of the pod or host is its own business.
    'hosts /dev/null {',
    ...named.map(({ address, names }) => `    ${address} ${names.join(' ')}`),
    `    ttl ${String(SECONDS)}`,
    '    no_reverse',
    '    fallthrough',
    '}',
  ];
}

/** As sslip.io reads such names, which nip.io runs: dashes before dots, the leftmost match (apps/nip.ts writes them so). */
function addressLines(zones: readonly string[]): string[] {
  const list = zones.join(' ');
  const octets = (separator: string): string => ['a', 'b', 'c', 'd'].map((name) => `(?P<${name}>${OCTET})`).join(separator);
  const template = (separator: string): string[] => [
    `template IN A ${list} {`,
    `    match "(^|[.-])${octets(separator)}[.-]"`,
    `    answer "{{ .Name }} ${String(SECONDS)} IN A {{ .Group.a }}.{{ .Group.b }}.{{ .Group.c }}.{{ .Group.d }}"`,
    '    fallthrough',
    '}',
  ];
  // Other types, and names without an address, exist and have nothing: NXDOMAIN for AAAA makes some resolvers give up on A.
  return [...template('-'), ...template('[.]'), `template IN ANY ${list} {`, '    rcode NOERROR', '}'];
}
