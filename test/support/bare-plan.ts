import { readFile } from 'node:fs/promises';
import type { Bundle } from '../../src/bundle/bundle.ts';
import { digestOf } from '../../src/core/digest.ts';
import { DeliverError } from '../../src/core/errors.ts';
import { SILENT } from '../../src/core/report.ts';
import { planFoundation, settledHosts } from '../../src/flows/plan/foundation-plan.ts';
import { isTouched, nodePlans } from '../../src/flows/plan/node-plan.ts';
import { planPushed } from '../../src/flows/plan/push.ts';
import { plannedParts } from '../../src/flows/plan/parts.ts';
import type { PlanResult } from '../../src/flows/plan/types.ts';
import { releaseUrls } from '../../src/flows/install/release-groups.ts';
import { namingOf, type ReleaseSession } from '../../src/flows/release-session.ts';
import { siteMirrors } from '../../src/flows/site-mirrors.ts';
import type { SitePorts } from '../../src/flows/site-ports.ts';
import { manifestFileName } from '../../src/lock/app-file-name.ts';
import type { Lock } from '../../src/lock/lock-schema.ts';
import { ReleaseSchema, type Release } from '../../src/manifest/release-schema.ts';
import { SiteSchema, type Site, type SiteHost } from '../../src/manifest/site-schema.ts';
import { planPush } from '../../src/registry/push-plan.ts';
import type { HostConnector } from '../../src/ssh/port.ts';
import { GATEKEEPER, someSecrets } from './apps.ts';

const never = new AbortController().signal;
const KUBERNETES = 'v1.34.4';
/** Programs with the sizes of their downloads, bytes. */
const PROGRAMS: Readonly<Record<string, readonly [version: string, bytes: number]>> = {
  kubeadm: [KUBERNETES, 74_000_000],
  kubelet: [KUBERNETES, 59_200_000],
  kubectl: [KUBERNETES, 60_600_000],
  containerd: ['v2.1.4', 33_000_000],
  runc: ['v1.3.0', 11_800_000],
  'cni-plugins': ['v1.7.1', 53_000_000],
  crictl: ['v1.34.0', 19_600_000],
  registry: ['v3.0.0', 24_100_000],
};
const ADDONS = { network: 'flannel', storage: 'local-path', ingress: 'traefik', names: 'coredns-nip-io' };
const IMAGES: readonly (readonly [reference: string, bytes: number])[] = [
  [`registry.k8s.io/kube-apiserver:${KUBERNETES}`, 27_000_000],
  [`registry.k8s.io/kube-proxy:${KUBERNETES}`, 26_000_000],
  ['registry.k8s.io/pause:3.10.1', 320_000],
  ['docker.io/library/traefik:v3.5.0', 51_000_000],
  ['ghcr.io/flannel-io/flannel:v0.26.7', 31_000_000],
  ['dockerhub.kubekey.local/project/gatekeeper:v362', 190_000_000],
];

/** A release for bare hosts as a session has it: sizes are those of the real things, content is there for the add-ons alone. */
export async function bareSession(site: Site): Promise<ReleaseSession> {
  const texts = await Promise.all(Object.values(ADDONS).map(async (name) => readFile(`manifests/addons/${name}.yaml`)));
  const release = ReleaseSchema.parse({
    apiVersion: 'deliver/v1',
    kind: 'Release',
    metadata: { name: 'bare-site', version: '1.34.4' },
    platforms: ['linux/amd64'],
    kubernetes: { version: KUBERNETES, components: { containerd: '2.1.4', runc: 'v1.3.0' } },
    apps: [GATEKEEPER],
    manifests: Object.entries(ADDONS).map(([name, file]) => ({ name, path: `./addons/${file}.yaml` })),
  });
  const lock = lockOf(release, texts);
  const bytes = new Map(texts.map((text) => [digestOf(text), text]));
  const bundle = {
    lock,
    bytes: (digest: ReturnType<typeof digestOf>) => Promise.resolve(bytes.get(digest) ?? new Uint8Array()),
  } as unknown as Bundle;
  const { registry } = site;
  if (registry === undefined) throw new Error('a site with a registry');
  const naming = namingOf(registry);
  const sourceHosts = [...new Set(IMAGES.map(([reference]) => reference.split('/')[0] ?? ''))].sort();
  return { bundle, release, naming, sourceHosts, push: planPush(lock, naming), trust: { signers: [] } };
}

/** A site of bare hosts: the first control planes, the rest workers, and a host for the registry. */
export function bareSite(hosts: readonly SiteHost[], controlPlanes = 1): Site {
  const names = hosts.map(({ name }) => name).filter((name) => name !== 'reg1');
  return SiteSchema.parse({
    apiVersion: 'deliver/v1',
    kind: 'Site',
    metadata: { name: 'plant-7' },
    hosts,
    roles: { 'control-plane': names.slice(0, controlPlanes), worker: names.slice(controlPlanes), registry: ['reg1'] },
    registry: {
      host: 'dockerhub.kubekey.local',
      username: 'admin',
      password: '${secret.registry}',
      install: { kind: 'distribution' },
    },
    network: { plugin: 'flannel', pods: '10.244.0.0/16', services: '10.96.0.0/12' },
    ingress: { class: 'traefik', addresses: ['10.86.67.11'], domain: 'nip.io' },
    storageClass: 'local-path',
  });
}

/** Ports of a site whose registry and cluster are still to be made. */
export function barePorts(site: Site, hosts: HostConnector, folder: string): SitePorts {
  return {
    loaded: { path: 'plant-7.yaml', folder, text: '', positionOf: () => '', site },
    secrets: someSecrets({ registry: 'a password of the registry' }),
    hosts,
    trusted: { keys: [], threshold: 1 },
    stateFolder: folder,
    registry: () => Promise.reject(new DeliverError('E_REGISTRY', { what: 'connection refused' })),
    cluster: () => Promise.reject(new DeliverError('E_KUBECONFIG', { what: 'no admin.conf' })),
    close: () => hosts.close(),
  } as unknown as SitePorts;
}

/** What `deliver plan` finds there, without its preflights: they would refuse one machine that is several hosts. */
export async function barePlan(site: Site, hosts: HostConnector, folder: string): Promise<PlanResult> {
  const session = await bareSession(site);
  const ports = barePorts(site, hosts, folder);
  const { build, ca } = await planFoundation(session, ports, SILENT, never);
  const mirrors = await siteMirrors(session, ports, false, never, ca);
  const nodes = nodePlans(mirrors, site);
  const { name, version } = session.release.metadata;
  return {
    release: name,
    version,
    site: site.metadata.name,
    hosts: site.hosts?.length ?? 0,
    kubernetes: KUBERNETES,
    checks: [{ id: 'ssh', title: 'SSH', outcome: 'pass' }],
    registry: planPushed(session, {}, ports),
    build,
    nodes,
    settled: settledHosts(build, new Set(nodes.filter(isTouched).map(({ host }) => host))),
    cluster: 'to-be-made',
    parts: await plannedParts(session, ports, never),
    objects: [],
    leftOver: [],
    urls: await releaseUrls(session, ports, never),
    unchanged: false,
  };
}

function lockOf(release: Release, addons: readonly Buffer[]): Lock {
  const programs = Object.entries(PROGRAMS).map(([name, [version, size]]) => ({
    name: `components/${name}/linux-amd64`,
    title: name,
    source: `https://upstream.example/${name}`,
    digest: digestOf(name),
    size,
    component: { name, version, platform: 'linux/amd64' },
  }));
  const files = addons.map((text, index) => {
    const source = release.manifests?.[index]?.path ?? '';
    return { name: manifestFileName(index, source), title: source, source, digest: digestOf(text), size: text.length };
  });
  const images = IMAGES.map(([reference, size]) => ({
    reference,
    digest: digestOf(`manifest of ${reference}`),
    size: 500,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    blobs: [{ digest: digestOf(reference), size, mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' }],
    neededBy: ['kubernetes'],
  }));
  return {
    apiVersion: 'deliver/v1',
    kind: 'Lock',
    metadata: release.metadata,
    platforms: release.platforms,
    release,
    images,
    charts: [],
    files: [...programs, ...files],
  } as unknown as Lock;
}
