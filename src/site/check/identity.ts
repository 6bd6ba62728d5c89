import { check, type Check } from './check.ts';
import type { BuildFacts } from './facts.ts';

const HOST_NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/;

export interface Identified {
  readonly host: string;
  readonly facts: BuildFacts;
}

/** What tells hosts apart: clones of one disk image make nodes that take each other’s place. */
export function identityChecks(hosts: readonly Identified[]): Check[] {
  return [
    ...hosts.map(hostNameCheck),
    ...twins(hosts, ({ facts }) => facts.hostname).map(({ names, value }) =>
      check('hostname', 'host name').fail({
        host: names[0] ?? '',
        found: `${names.join(', ')} all call themselves ${value}`,
        fix: `Give each its own name: hostnamectl set-hostname <name>`,
      }),
    ),
    ...twins(hosts, ({ facts }) => facts.machineId).map(({ names }) =>
      check('machine-id', 'machine id').fail({
        host: names[0] ?? '',
        found: `${names.join(', ')} have the same /etc/machine-id: clones of one disk`,
        fix: `On all but one: rm /etc/machine-id; systemd-machine-id-setup; reboot`,
      }),
    ),
    ...twins(hosts, ({ facts }) => (facts.container === undefined ? facts.productUuid : undefined)).map(({ names }) =>
      check('product-uuid', 'product UUID').warn({
        host: names[0] ?? '',
        found: `${names.join(', ')} have the same product_uuid`,
        fix: 'Give each virtual machine a UUID of its own; Kubernetes wants them to differ.',
      }),
    ),
  ];
}

function hostNameCheck({ host, facts }: Identified): Check {
  const outcome = check('hostname', 'host name');
  const { hostname } = facts;
  const fix = `hostnamectl set-hostname ${host}`;
  if (!HOST_NAME.test(hostname))
    return outcome.fail({ host, found: `“${hostname}” is no name for a host (RFC 1123: lower-case letters, digits, “-”)`, fix });
  if (hostname !== host && hostname.split('.')[0] !== host)
    return outcome.warn({ host, found: `it calls itself ${hostname}; its node will be ${host}`, fix });
  return outcome.pass({ host, found: hostname });
}

function twins(
  hosts: readonly Identified[],
  valueOf: (one: Identified) => string | undefined,
): { readonly value: string; readonly names: readonly string[] }[] {
  const groups = Map.groupBy(hosts, (one) => valueOf(one) ?? '');
  return [...groups].flatMap(([value, same]) =>
    value === '' || same.length < 2 ? [] : [{ value, names: same.map(({ host }) => host) }],
  );
}
