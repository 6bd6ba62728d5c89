import type { Bundle } from '../bundle/bundle.ts';
import { judgeTrust, type Trust } from '../bundle/signature/trust.ts';
import { damagedError, damageLine, verifyBundle } from '../bundle/verify-bundle.ts';
import { bytesText } from '../core/amounts.ts';
import { DeliverError } from '../core/errors.ts';
import { parseReference } from '../core/reference.ts';
import type { Report } from '../core/report.ts';
import type { Lock } from '../lock/lock-schema.ts';
import { fillSite } from '../manifest/fill.ts';
import type { LoadedSite } from '../manifest/load-site.ts';
import type { Release } from '../manifest/release-schema.ts';
import type { Site, SiteRegistry } from '../manifest/site-schema.ts';
import { planPush, type PushPlan } from '../registry/push-plan.ts';
import type { SiteNaming } from '../registry/site-repository.ts';
import { balancerImages, refuseMissingBalancer } from '../site/balancer/images.ts';
import { nodesOf } from '../site/nodes/nodes.ts';
import { makesCluster } from './install/host-wishes.ts';
import type { SitePorts } from './site-ports.ts';

export interface ReleaseInput {
  readonly bundlePath: string;
  readonly allowUnsigned: boolean;
}

/** A bundle that is trusted, and what it means on this site. */
export interface ReleaseSession {
  readonly bundle: Bundle;
  /** Who signed, and what was accepted without. */
  readonly trust: Trust;
  /** With the site's values filled in; secrets and outputs are still names. */
  readonly release: Release;
  readonly naming: SiteNaming;
  readonly push: PushPlan;
  /** Hosts that the release's image references name, each once. */
  readonly sourceHosts: readonly string[];
}

/**
 * Opens a bundle for a site: signature first, then the release with the site's values.
 * @throws DeliverError E_BUNDLE, E_UNSIGNED, E_UNTRUSTED, E_SIGNATURE, E_VARIABLE, E_SCHEMA
 */
async function openRelease(input: ReleaseInput, ports: SitePorts): Promise<ReleaseSession> {
  const { site } = ports.loaded;
  refuseWithoutNodes(site);
  const naming = site.registry === undefined ? NO_REGISTRY : namingOf(site.registry);
  const bundle = await ports.openBundle(input.bundlePath);
  try {
    const trust = judgeTrust(bundle, ports.trusted, { allowUnsigned: input.allowUnsigned });
    refuseOtherKubernetes(bundle.lock.release, ports.loaded);
    refuseWithoutBalancer(bundle.lock, site);
    const release = fillSite(bundle.lock.release, site);
    const sourceHosts = [...new Set(bundle.lock.images.map((image) => parseReference(image.reference).host))].sort();
    return { bundle, trust, release, naming, push: planPush(bundle.lock, naming), sourceHosts };
  } catch (error) {
    await bundle.close();
    throw error;
  }
}

/**
 * The first step of plan and install: the signature, then every byte of the bundle.
 * @throws DeliverError what `openRelease` throws, E_BUNDLE_DAMAGED
 */
export async function trustRelease(
  input: ReleaseInput,
  ports: SitePorts,
  report: Report,
  signal: AbortSignal,
): Promise<ReleaseSession> {
  const session = await openRelease(input, ports);
  for (const line of ports.loaded.notes ?? []) report.note(line);
  try {
    const damage = await verifyBundle(session.bundle, report, signal);
    if (damage.length > 0) throw damagedError(session.bundle.path, damage.map(damageLine));
    return session;
  } catch (error) {
    await session.bundle.close();
    throw error;
  }
}

/** A KubeKey Cluster names the version that it wants; with us the release brings it. */
function refuseOtherKubernetes(release: Release, { path, kubernetesVersion }: LoadedSite): void {
  const carried = release.kubernetes?.version;
  if (kubernetesVersion === undefined || carried === undefined || carried === kubernetesVersion) return;
  throw new DeliverError('E_PREFLIGHT', {
    what: `The release carries Kubernetes ${carried}, and ${path} wants ${kubernetesVersion}.`,
    fix: `Set spec.kubernetes.version: ${carried} there, or use a release with ${kubernetesVersion}.`,
    state: 'Nothing was changed.',
  });
}

/** Found here, or only when the control planes are made already. */
function refuseWithoutBalancer(lock: Lock, site: Site): void {
  if (makesCluster(site, lock)) refuseMissingBalancer(site, balancerImages(lock.images.map(({ reference }) => reference)));
}

/** `release@corp · 4.4 GB whole`. */
export function trustSummary({ trust, bundle }: ReleaseSession): string {
  return `${whoSigned(trust)} · ${bytesText(bundle.size)} whole`;
}

/** `release@corp`, or what was accepted without enough signatures. */
function whoSigned({ signers, accepted }: Trust): string {
  if (accepted !== undefined) return `${accepted}; accepted with --allow-unsigned`;
  return signers.map(({ name, fingerprint }) => (name === '' ? fingerprint : name)).join(', ');
}

/** As in `deliver serve`: no host is the site’s own. */
const NO_REGISTRY: SiteNaming = { registryHost: '' };

/** Images go to a registry or to the nodes; with neither there is no place for them. */
function refuseWithoutNodes(site: Site): void {
  if (site.registry !== undefined || nodesOf(site).length > 0) return;
  throw new DeliverError('E_PREFLIGHT', {
    what: `The file of site ${site.metadata.name} names neither a registry nor hosts that images could be brought to.`,
    fix: 'Add registry: { host: … } to the site file, or the nodes under hosts:.',
    state: 'Nothing was changed.',
  });
}

/** @throws DeliverError E_BUG: who asks must know that the site has one */
export function neededRegistry(ports: SitePorts): SiteRegistry {
  const { registry, metadata } = ports.loaded.site;
  if (registry !== undefined) return registry;
  throw new DeliverError('E_BUG', { what: `The registry of site ${metadata.name} was asked for, and it has none.` });
}

export function namingOf(registry: SiteRegistry): SiteNaming {
  return { registryHost: registry.host, ...(registry.project === undefined ? {} : { project: registry.project }) };
}
