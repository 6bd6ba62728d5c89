import { asksAtEveryStart } from '../../apps/pull-policy.ts';
import { bytesText, countText } from '../../core/amounts.ts';
import type { Digest } from '../../core/digest.ts';
import { isDeliverError } from '../../core/errors.ts';
import { inParallel } from '../../core/in-parallel.ts';
import { catalogOf } from '../../serve/catalog.ts';
import { check, checkThat, type Check } from '../../site/check/check.ts';
import { nodesOf } from '../../site/nodes/nodes.ts';
import { carriedComponents } from '../../site/runtime/carried.ts';
import { minorOf } from '../../site/runtime/containerd.ts';
import { makesCluster } from '../install/host-wishes.ts';
import { manifestParts } from '../install/manifest-parts.ts';
import type { ReleaseSession } from '../release-session.ts';
import { bytesToPull, lookAtImages, type NodeImages } from '../site-images.ts';
import type { SitePorts } from '../site-ports.ts';

/** The first containerd that keeps what is pinned. */
const PINS = 1007;
const TUNNELS_AT_ONCE = 8;
/** RFC 863: nobody connects there; the tunnel is only tried. */
const DISCARD = { address: '127.0.0.1', port: 9 } as const;

export interface ImagesPreflight {
  readonly checks: readonly Check[];
  /** Digests of images that some node lacks; absent when that is not known. */
  readonly lacking?: ReadonlySet<Digest>;
  /** Most that one node pulls. */
  readonly bytes: number;
}

/** What a site without a registry means for its nodes, and whether they can be brought their images. Changes nothing. */
export async function imagesPreflight(
  session: ReleaseSession | undefined,
  ports: SitePorts,
  signal: AbortSignal,
): Promise<ImagesPreflight> {
  const { site } = ports.loaded;
  const checks = [...runtimeChecks(ports), ...(await tunnelChecks(ports, signal))];
  if (session === undefined) return { checks, bytes: 0 };
  let found: readonly NodeImages[] | undefined;
  const look = await checkThat('images', 'images on the nodes', async () => {
    found = await lookAtImages(session, ports, signal);
    return {};
  });
  checks.push(...(await policyChecks(session, ports, signal)));
  // A host that can't be reached says so itself.
  if (found === undefined) return { checks: look.code === 'E_SSH' ? checks : [...checks, look], bytes: 0 };
  const nodes = found;
  const bytes = Math.max(0, ...nodes.map(bytesToPull));
  const total = nodes.reduce((sum, node) => sum + bytesToPull(node), 0);
  const carried = makesCluster(site, session.bundle.lock)
    ? carriedComponents(session.bundle.lock).find(({ name }) => name === 'containerd')?.version
    : undefined;
  return {
    checks: [
      ...checks,
      check('images', 'images without a registry').pass({
        found: `${bytesText(total)} through this machine’s line to ${countText(nodes.length, 'node')}, which keep them`,
      }),
      ...pinChecks(nodes, carried),
      ...(await deltaChecks(session, nodes)),
    ],
    lacking: new Set(nodes.flatMap(({ todo }) => todo.pull.map(({ digest }) => digest))),
    bytes,
  };
}

function runtimeChecks({ loaded: { site } }: SitePorts): Check[] {
  const kind = site.runtime?.kind ?? 'containerd';
  const runtime = check('images-runtime', 'images without a registry');
  if (kind === 'containerd') return [];
  return [
    runtime.fail({
      found: `the site file names no registry, and deliver brings images to containerd only, not to ${kind}`,
      fix: 'Add registry: to the site file.',
    }),
  ];
}

/** sshd may forbid it, and that should not be found out in the middle of an install. */
async function tunnelChecks({ loaded: { site }, hosts }: SitePorts, signal: AbortSignal): Promise<Check[]> {
  const found = new Map<string, Check>();
  const names = nodesOf(site).map(({ name }) => name);
  await inParallel(names, TUNNELS_AT_ONCE, signal, async (name, stop) => {
    const connection = await hosts.connect(name, stop).catch((error: unknown) => {
      // The host's own check says why.
      if (isDeliverError(error) && !isDeliverError(error, 'E_INTERRUPTED', 'E_BUG')) return undefined;
      throw error;
    });
    if (connection === undefined) return;
    const tried = await checkThat(
      'tunnel',
      'way for images',
      async () => {
        await (await connection.listen(DISCARD)).close();
        return {};
      },
      name,
    );
    found.set(name, tried);
  });
  return names.flatMap((name) => found.get(name) ?? []);
}

/** @param carried version of the containerd that is placed where none runs */
function pinChecks(nodes: readonly NodeImages[], carried: string | undefined): Check[] {
  const pinned = check('images-kept', 'images are kept');
  return nodes.flatMap(({ node, store }) => {
    const version = store.version ?? carried;
    if (version === undefined || minorOf(version) >= PINS) return [];
    return [
      pinned.warn({
        host: node,
        found: `containerd ${version} can’t pin images: a kubelet short of disk deletes those that nothing runs at that time, and nobody can be asked for them`,
        fix: `Use containerd 1.7 or later, or keep the disk of ${node} below 85 %.`,
      }),
    ];
  });
}

/** A delta leaves out what its base has, and a node keeps images whole or not at all. */
async function deltaChecks({ bundle }: ReleaseSession, nodes: readonly NodeImages[]): Promise<Check[]> {
  if (bundle.delta === undefined) return [];
  const lacking = new Set((await catalogOf(bundle)).lacking);
  const broken = nodes.flatMap(({ node, todo }) =>
    todo.pull.filter(({ reference }) => lacking.has(reference)).map(({ reference }) => `${node}: ${reference}`),
  );
  const base = check('images-base', 'base of the delta');
  if (broken.length === 0) return [base.pass()];
  return [
    base.fail({
      found: `${countText(broken.length, 'image')} can’t be pulled: the bundle is a delta and leaves out parts of them, which only a registry could add`,
      fix: 'Use the full bundle on a site without a registry.',
      code: 'E_BASE_MISSING',
      details: broken,
    }),
  ];
}

/** By name, because it is the workload that starts another way than it was written. */
async function policyChecks(session: ReleaseSession, ports: SitePorts, signal: AbortSignal): Promise<Check[]> {
  const parts = await manifestParts(session, ports.loaded.site, [], undefined, signal);
  const objects = parts.flatMap((part) => part.objects).filter((object) => asksAtEveryStart(object).length > 0);
  const apps = (session.release.apps ?? []).filter(({ imagePullPolicy }) => imagePullPolicy === 'Always');
  const names = [
    ...objects.map(
      ({ kind, metadata: { namespace, name } }) => `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`,
    ),
    ...apps.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`),
  ];
  return names.map((name) =>
    check('pull-policy', name).warn({
      found: 'imagePullPolicy Always would ask a registry at every start, and this site has none: it is applied as IfNotPresent',
    }),
  );
}
