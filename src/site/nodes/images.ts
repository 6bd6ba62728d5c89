import type { Digest } from '../../core/digest.ts';
import { parseReference } from '../../core/reference.ts';
import type { Lock, LockedImage } from '../../lock/lock-schema.ts';
import type { Site } from '../../manifest/site-schema.ts';
import { isOnlyForApps } from '../check/budget.ts';
import { buildsKubernetes } from '../kubeadm/settings.ts';

/** Keeps the kubelet from deleting an image; containerd listens to it since 1.7 (internal/cri/labels). */
export const PINNED = 'io.cri-containerd.pinned=pinned';
const RELEASE_LABEL = 'deliver.release/';

/** What a node must hold, because nobody can be asked for it once deliver has gone. */
export interface WishedImage {
  /** As containerd names it, and the kubelet asks for it. */
  readonly name: string;
  readonly digest: Digest;
  /** Bytes, packed. */
  readonly size: number;
  /** Reference in the lock. */
  readonly reference: string;
}

/** What a node holds under one name. */
export interface HeldImage {
  readonly digest: string;
  /** Every part of it is there. */
  readonly whole: boolean;
  readonly labels: readonly string[];
}

/** What a node said. */
export interface NodeStore {
  /** Of containerd; absent where none runs yet. */
  readonly version?: string;
  readonly images: ReadonlyMap<string, HeldImage>;
}

/** What is to be done on a node. */
export interface ImagesTodo {
  readonly pull: readonly WishedImage[];
  /** They are there, and not kept for this release yet. */
  readonly keep: readonly WishedImage[];
  /** Names that an earlier version of this release kept. */
  readonly letGo: readonly string[];
}

/** The label by which a node knows for which release it keeps an image: several may. */
export function releaseLabel(release: string): string {
  return `${RELEASE_LABEL}${release}=kept`;
}

/** Every image of the release that this node may run. */
export function wishedImages(lock: Pick<Lock, 'images' | 'platforms'>, site: Site, node: string): WishedImage[] {
  const share = Math.max(1, lock.platforms.length);
  const wished = lock.images.filter((image) => mayRun(image, site, node));
  const seen = new Set<Digest>();
  // A layer that two images share is sent once.
  const sizeOf = ({ blobs }: LockedImage): number =>
    blobs.reduce((sum, { digest, size }) => {
      if (seen.has(digest)) return sum;
      seen.add(digest);
      return sum + size;
    }, 0);
  const named = wished.map(
    (image) =>
      [
        storeName(image.reference),
        {
          name: storeName(image.reference),
          digest: image.digest,
          size: Math.ceil(sizeOf(image) / share),
          reference: image.reference,
        },
      ] as const,
  );
  return [...new Map(named).values()];
}

/** `host/path:tag`, or `host/path@digest` also where there is a tag beside it: what containerd makes of a pod’s reference. */
function storeName(reference: string): string {
  const { host, repository, tag, digest } = parseReference(reference);
  return `${host}/${repository}${digest === undefined ? `:${tag ?? 'latest'}` : `@${digest}`}`;
}

/** Where deliver makes the cluster it knows what only a control plane runs, and that control planes run no apps. */
function mayRun(image: LockedImage, site: Site, node: string): boolean {
  if (!buildsKubernetes(site)) return true;
  const { 'control-plane': control = [], worker = [] } = site.roles ?? {};
  if (control.includes(node)) return worker.includes(node) || !isOnlyForApps(image);
  const own = image.neededBy.length > 0 && image.neededBy.every((by) => by.startsWith('kubernetes'));
  return !(own && /\/(?:kube-apiserver|kube-controller-manager|kube-scheduler|etcd)[:@]/.test(image.reference));
}

/** Asks a node’s containerd what it holds; read-only. */
export const LOOK_SCRIPT = `PATH=/usr/local/sbin:/usr/local/bin:$PATH; LC_ALL=C; export PATH LC_ALL
ctr version >/dev/null 2>&1 || { echo none; exit 0; }
ctr --version | sed 's/^/version /'
ctr -n k8s.io images check 2>/dev/null | sed 's/^/check /'
ctr -n k8s.io images ls 2>/dev/null | sed 's/^/image /'
echo end`;

/** @returns undefined when the answer was cut */
export function parseStore(stdout: string): NodeStore | undefined {
  const lines = stdout.trim().split('\n');
  if (lines[0] === 'none') return { images: new Map() };
  if (lines.at(-1) !== 'end') return undefined;
  const version = /^version .*?v?(\d+\.\d+\.\d+)/m.exec(stdout)?.[1];
  const whole = new Set<string>();
  const images = new Map<string, HeldImage>();
  for (const line of lines) {
    const [kind, name = '', , digest = '', state] = line.split(/\s+/);
    if (kind === 'check' && state === 'complete') whole.add(`${name} ${digest}`);
    if (kind !== 'image' || name === 'REF') continue;
    const labels = (line.split(/\s+/).findLast((word) => word !== '') ?? '').split(',').filter((label) => label.includes('='));
    images.set(name, { digest, whole: whole.has(`${name} ${digest}`), labels });
  }
  return { ...(version === undefined ? {} : { version }), images };
}

/** Compares by digest: what is there is not pulled again. */
export function imagesTodo(wished: readonly WishedImage[], { images }: NodeStore, release: string): ImagesTodo {
  const labels = [PINNED, releaseLabel(release)];
  const here = ({ name, digest }: WishedImage): boolean => {
    const held = images.get(name);
    return held?.whole === true && held.digest === digest;
  };
  const names = new Set(wished.map(({ name }) => name));
  return {
    pull: wished.filter((image) => !here(image)),
    keep: wished.filter((image) => here(image) && !labels.every((label) => images.get(image.name)?.labels.includes(label))),
    letGo: [...images]
      .filter(([name, held]) => !names.has(name) && !name.startsWith('sha256:') && held.labels.includes(releaseLabel(release)))
      .map(([name]) => name),
  };
}

/** Labels to take off an image that this release no longer has: it stays pinned while another release keeps it. */
export function labelsToTake({ labels }: HeldImage, release: string): string[] {
  const own = releaseLabel(release);
  const others = labels.some((label) => label.startsWith(RELEASE_LABEL) && label !== own);
  return [own, ...(others ? [] : [PINNED])].map((label) => label.replace(/=.*$/, '='));
}
