import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { KubeObject } from '../cluster/port.ts';
import { DeliverError } from '../core/errors.ts';
import type { External } from '../manifest/release-schema.ts';
import { metadataOf } from './metadata.ts';

/** Ranges that the API server refuses in endpoints, or that could not be a host's address. */
const UNUSABLE = new Set(['unspecified', 'broadcast', 'multicast', 'linkLocal', 'loopback', 'ipv4Mapped']);

interface Family {
  readonly type: 'IPv4' | 'IPv6';
  readonly addresses: readonly string[];
}

/**
 * A Service without selector and one EndpointSlice per address family, so that pods reach a host outside the cluster by a
 * name inside it. (EndpointSlices, not Endpoints: those are deprecated since Kubernetes 1.33, and both would double.)
 * @throws DeliverError E_SCHEMA, E_VARIABLE
 */
export function renderExternal(external: External, release: string): KubeObject[] {
  if (external.ports.length > 1 && external.ports.some((port) => port.name === undefined)) {
    throw bad(external, 'It has several ports, and not all of them have names.', 'Name each port.');
  }
  const families = familiesOf(external);
  const { name, namespace } = external;
  const service: KubeObject = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf({ name, namespace }, release),
    spec: {
      ...ipFamilies(families),
      ports: external.ports.map((port) => ({
        ...(port.name === undefined ? {} : { name: port.name }),
        protocol: port.protocol ?? 'TCP',
        port: port.port,
        targetPort: port.targetPort ?? port.port,
      })),
    },
  };
  return [service, ...families.map((family) => renderSlice(external, family, release))];
}

function renderSlice(external: External, family: Family, release: string): KubeObject {
  const { name, namespace, ports } = external;
  const labels = { 'kubernetes.io/service-name': name, 'endpointslice.kubernetes.io/managed-by': 'deliver' };
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: metadataOf({ name: `${name}-deliver-${family.type.toLowerCase()}`, namespace, labels }, release),
    addressType: family.type,
    endpoints: family.addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    // Matched to the Service's port by name; "" is the name of a port without one.
    ports: ports.map((port) => ({ name: port.name ?? '', protocol: port.protocol ?? 'TCP', port: port.targetPort ?? port.port })),
  };
}

function familiesOf(external: External): Family[] {
  if (typeof external.addresses === 'string') {
    throw new DeliverError('E_VARIABLE', {
      what: `The addresses of external ${external.name} are not known.`,
      why: `${external.addresses} was not filled in.`,
      fix: 'Give it a value in the site file, under externals:',
    });
  }
  const addresses = [...new Set(external.addresses.map(({ ip }) => checked(external, ip)))];
  return ([4, 6] as const).flatMap((version): Family[] => {
    const own = addresses.filter((address) => isIP(address) === version);
    return own.length === 0 ? [] : [{ type: `IPv${String(version) as '4' | '6'}`, addresses: own }];
  });
}

function checked(external: External, ip: string): string {
  if (isIP(ip) === 0)
    throw bad(external, `“${ip}” is not an IP address.`, 'Write the address itself; a name can’t be an endpoint.');
  const range = ipaddr.parse(ip).range();
  if (!UNUSABLE.has(range)) return ip;
  throw bad(external, `${ip} is a ${range} address, which no pod could reach.`, 'Write the address that other hosts use.');
}

function ipFamilies(families: readonly Family[]): Record<string, unknown> {
  if (families.length > 1) return { ipFamilyPolicy: 'PreferDualStack' };
  return families[0]?.type === 'IPv6' ? { ipFamilies: ['IPv6'] } : {};
}

function bad(external: External, why: string, fix: string): DeliverError {
  return new DeliverError('E_SCHEMA', {
    what: `External ${external.name} can't be rendered.`,
    why,
    fix,
    state: 'Nothing was changed.',
  });
}
