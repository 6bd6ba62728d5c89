import { inParallel } from '../core/in-parallel.ts';
import type { Site } from '../manifest/site-schema.ts';
import { lookAtStore } from '../site/nodes/images-run.ts';
import { imagesTodo, wishedImages, type ImagesTodo, type NodeStore } from '../site/nodes/images.ts';
import { nodesOf } from '../site/nodes/nodes.ts';
import type { ReleaseSession } from './release-session.ts';
import type { SitePorts } from './site-ports.ts';

const LOOKS_AT_ONCE = 16;

/** A node of a site without a registry: what its containerd holds, and what an install would do there. */
export interface NodeImages {
  readonly node: string;
  readonly store: NodeStore;
  readonly todo: ImagesTodo;
}

/** True for a site whose nodes are brought their images by deliver itself: docs/decisions/0029. */
export function hasNoRegistry({ registry }: Pick<Site, 'registry'>): boolean {
  return registry === undefined;
}

/**
 * Compares what every node holds with what it may run of this release, by digest. Changes nothing.
 * @throws DeliverError E_SSH*, E_SUDO, E_HOST
 */
export async function lookAtImages(
  { bundle, release }: Pick<ReleaseSession, 'bundle' | 'release'>,
  { loaded: { site }, hosts }: Pick<SitePorts, 'loaded' | 'hosts'>,
  signal: AbortSignal,
): Promise<NodeImages[]> {
  const nodes = nodesOf(site).map(({ name }) => name);
  const found = new Map<string, NodeImages>();
  await inParallel(nodes, LOOKS_AT_ONCE, signal, async (node, stop) => {
    const store = await lookAtStore(await hosts.connect(node, stop), stop);
    found.set(node, { node, store, todo: imagesTodo(wishedImages(bundle.lock, site, node), store, release.metadata.name) });
  });
  return nodes.flatMap((node) => found.get(node) ?? []);
}

/** Bytes that a node would pull. */
export function bytesToPull({ todo }: Pick<NodeImages, 'todo'>): number {
  return todo.pull.reduce((sum, { size }) => sum + size, 0);
}
