import type { Bundle } from '../../bundle/bundle.ts';
import type { Digest } from '../../core/digest.ts';
import type { Lock, LockedBlob, LockedImage } from '../../lock/lock-schema.ts';
import type { Site } from '../../manifest/site-schema.ts';
import type { DiskWish, Role } from './needs.ts';

/** Unpacked bytes per packed byte where a layer doesn’t say it (zstd, or left out of a delta). */
const UNKNOWN_RATIO = 3;
/** An archive while it is unpacked: itself and what comes out of it. */
const ARCHIVE_RATIO = 4;
/** etcd’s default quota; a snapshot of it may lie beside it. */
const ETCD_BYTES = 2 * 1024 ** 3;
const LOGS_AND_VOLUMES = 1e9;
/** A gzip member ends with its unpacked length mod 2^32 (RFC 1952 section 2.3.1). */
const GZIP_TAIL = 4;

/** Sizes of what a release puts on hosts. */
export interface ReleaseSizes {
  /** Images that a node holds: packed in containerd’s content store, and unpacked. */
  readonly images: { readonly all: number; readonly controlPlane: number };
  /** Bytes that the registry must hold. */
  readonly registry: number;
  /** Component → bytes, of the larger platform. */
  readonly components: ReadonlyMap<string, { readonly size: number; readonly archive: boolean }>;
}

/**
 * Measures a release: layers by the length that their own gzip says, read from the bundle.
 * @param lacking digests of images that nodes can’t have yet, because the registry lacks them; all when absent
 */
export async function sizesOf(
  bundle: Bundle,
  lacking: ReadonlySet<Digest> | undefined,
  signal: AbortSignal,
): Promise<ReleaseSizes> {
  const { lock } = bundle;
  const images = lock.images.filter(({ digest }) => lacking?.has(digest) ?? true);
  const unpacked = new Map<Digest, number>();
  for (const blob of blobsOf(images).values()) unpacked.set(blob.digest, await unpackedSize(bundle, blob, signal));
  const share = Math.max(1, lock.platforms.length);
  const room = (some: readonly LockedImage[]): number =>
    [...blobsOf(some).values()].reduce((sum, { digest, size }) => sum + size + (unpacked.get(digest) ?? size), 0) / share;
  return {
    images: { all: room(images), controlPlane: room(images.filter((image) => !isOnlyForApps(image))) },
    registry: [...blobsOf(images).values()].reduce((sum, { size }) => sum + size, 0),
    components: componentSizes(lock),
  };
}

/** What each role of a host puts where. */
export function diskWishes(site: Site, roles: readonly Role[], sizes: ReleaseSizes | undefined): DiskWish[] {
  const node = roles.includes('control-plane') || roles.includes('worker');
  const registry = roles.includes('registry') ? site.registry?.install : undefined;
  const etcd = roles.includes('etcd') || (roles.includes('control-plane') && (site.roles?.etcd ?? []).length === 0);
  const programs = [
    ...(node || etcd ? ['containerd', 'runc', 'crictl', 'kubeadm', 'kubelet', 'kubectl', 'cni-plugins'] : []),
    ...(roles.includes('control-plane') ? ['helm', 'calicoctl'] : []),
    ...(roles.includes('etcd') ? ['etcd'] : []),
    ...(registry?.kind === 'distribution' ? ['registry'] : []),
    ...(registry?.kind === 'harbor' ? ['docker', 'docker-compose'] : []),
  ];
  const wish = (path: string, bytes: number, what: string, firm: boolean): DiskWish => ({
    path,
    bytes: Math.round(bytes),
    what,
    firm,
  });
  const images = roles.includes('worker') ? sizes?.images.all : sizes?.images.controlPlane;
  return [
    wish('/usr/local', sum(programs, sizes), 'programs of the release', true),
    ...(node || etcd
      ? [
          wish(site.runtime?.dataFolder ?? '/var/lib/containerd', images ?? 0, 'images, packed and unpacked', true),
          wish(site.kubernetes?.dataFolder ?? '/var/lib/kubelet', LOGS_AND_VOLUMES, 'logs and volumes of pods', false),
        ]
      : []),
    ...(etcd ? [wish('/var/lib/etcd', ETCD_BYTES, 'etcd at its default quota', false)] : []),
    ...(registry?.kind === 'harbor' ? [wish('/var/lib/docker', sum(['harbor'], sizes), 'Harbor’s own images', true)] : []),
    ...(registry === undefined
      ? []
      : [
          wish(dataVolumeOf(registry), sizes?.registry ?? 0, 'images of the release', true),
          wish(dataVolumeOf(registry), sizes?.registry ?? 0, 'the release after this one', false),
        ]),
  ];
}

function dataVolumeOf({ kind, dataVolume }: { readonly kind: string; readonly dataVolume?: string | undefined }): string {
  return dataVolume ?? (kind === 'harbor' ? '/var/lib/harbor' : '/var/lib/registry');
}

function sum(names: readonly string[], sizes: ReleaseSizes | undefined): number {
  return names.reduce((bytes, name) => {
    const found = sizes?.components.get(name);
    return found === undefined ? bytes : bytes + found.size * (found.archive ? ARCHIVE_RATIO : 1);
  }, 0);
}

function componentSizes({ files }: Lock): ReleaseSizes['components'] {
  const found = new Map<string, { size: number; archive: boolean }>();
  for (const { name, title, source, size } of files) {
    const component = componentOf(name)?.name;
    if (component === undefined || (found.get(component)?.size ?? 0) >= size) continue;
    found.set(component, { size, archive: /\.(?:tar(?:\.\w+)?|tgz)$/.test(title) || /\.(?:tar\.\w+|tgz)$/.test(source) });
  }
  return found;
}

/** `components/kubeadm/linux-amd64` → kubeadm for linux/amd64 (docs/decisions/0025). */
export function componentOf(fileName: string): { readonly name: string; readonly platform: string } | undefined {
  const [, name, platform] = /^components\/([a-z0-9-]+)\/([a-z0-9]+-[a-z0-9-]+)$/.exec(fileName) ?? [];
  return name === undefined || platform === undefined ? undefined : { name, platform: platform.replace('-', '/') };
}

function blobsOf(images: readonly LockedImage[]): Map<Digest, LockedBlob> {
  return new Map(images.flatMap(({ blobs }) => blobs.map((blob) => [blob.digest, blob] as const)));
}

/** Control planes that are no workers run no apps. */
export function isOnlyForApps({ neededBy }: LockedImage): boolean {
  return neededBy.length > 0 && neededBy.every((user) => user.startsWith('app '));
}

async function unpackedSize(bundle: Bundle, { digest, size, mediaType }: LockedBlob, signal: AbortSignal): Promise<number> {
  if (!/layer|diff|rootfs/.test(mediaType)) return 0;
  if (!mediaType.includes('gzip')) return mediaType.endsWith('tar') ? size : size * UNKNOWN_RATIO;
  if (!bundle.blobs.has(digest) || size < 18) return size * UNKNOWN_RATIO;
  const chunks: Buffer[] = [];
  for await (const chunk of bundle.range(digest, size - GZIP_TAIL, GZIP_TAIL, signal)) chunks.push(Buffer.from(chunk));
  const said = Buffer.concat(chunks).readUInt32LE(0);
  // Above 4 GiB the count begins anew; packed layers hardly grow.
  return said + Math.max(0, Math.ceil((size * 0.9 - said) / 2 ** 32)) * 2 ** 32;
}
