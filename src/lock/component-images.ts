import { DeliverError, isDeliverError } from '../core/errors.ts';
import type { FileSource } from '../store/port.ts';
import { imagesByTable } from './component-image-table.ts';
import { listImagesWith } from './component-kubeadm.ts';
import type { LockedFile } from './lock-schema.ts';
import type { ResolvedComponent } from './resolve-component.ts';

const THIS_MACHINE = `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`;

/**
 * The images that kubeadm of this release needs: from an earlier lock of the same kubeadm, else from that kubeadm itself where
 * it runs here and is what upstream published, else from the table. Asks nothing when no kubeadm is carried.
 * @param kubeadms the same version for each platform
 * @throws DeliverError E_COMPONENT when none of the three is possible
 */
export async function kubernetesImages(
  kubeadms: readonly ResolvedComponent[],
  previous: readonly LockedFile[],
  files: FileSource,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const [first] = kubeadms;
  const version = first?.file.component?.version;
  if (first === undefined || version === undefined) return [];
  const known = previous.find((file) => file.images !== undefined && kubeadms.some((one) => one.file.digest === file.digest));
  if (known?.images !== undefined) return known.images;
  const here = kubeadms.find(({ file, checked }) => runsHere(file) && checked === 'sha256');
  if (here === undefined) return imagesByTable(version) ?? refuse(version, kubeadms);
  try {
    return await listImagesWith(here.file, version, files, signal);
  } catch (error) {
    const table = isDeliverError(error, 'E_COMPONENT') ? imagesByTable(version) : undefined;
    if (table === undefined) throw error;
    return table;
  }
}

/** The platform of a program is this machine’s; a variant says no more than the architecture. */
function runsHere({ component }: LockedFile): boolean {
  return component?.platform.split('/').slice(0, 2).join('/') === THIS_MACHINE;
}

function refuse(version: string, kubeadms: readonly ResolvedComponent[]): never {
  const foreign = kubeadms.every(({ file }) => !runsHere(file));
  throw new DeliverError('E_COMPONENT', {
    what: `Nobody knows which images Kubernetes ${version} needs.`,
    why: foreign
      ? `Its kubeadm does not run on ${THIS_MACHINE}, and deliver’s own table ends before it.`
      : 'Its kubeadm has no sha256 beside it at its source, so it is not run, and deliver’s own table ends before it.',
    fix: foreign
      ? 'Resolve on a machine of one of the release’s platforms, and commit the lock.'
      : 'Put upstream’s kubeadm.sha256 beside kubeadm on the mirror.',
  });
}
