import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';

interface Index {
  readonly manifests: readonly { readonly annotations?: Readonly<Record<string, string>> }[];
}

/** For each image of a bundle an OCI layout of its own in `work/one-<n>`, whose blobs are those of `work/all`, still to be unpacked. */
export async function pickImages(bundle: string, references: readonly string[], work: string): Promise<void> {
  const member = (name: string): string => execFileSync('tar', ['-xOf', bundle, name], { encoding: 'utf8' });
  const index = JSON.parse(member('index.json')) as Index;
  const layout = member('oci-layout');
  for (const [at, reference] of references.entries()) {
    const manifests = index.manifests.filter(
      ({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] === reference,
    );
    if (manifests.length !== 1) throw new Error(`${reference}: ${String(manifests.length)} entries in the index`);
    const folder = path.join(work, `one-${String(at)}`);
    await mkdir(folder);
    await writeFile(path.join(folder, 'index.json'), JSON.stringify({ ...index, manifests }));
    await writeFile(path.join(folder, 'oci-layout'), layout);
    await symlink('../all/blobs', path.join(folder, 'blobs'));
  }
}
