import { accessoriesOf } from './artifacts.ts';
import type { Exchange } from './context.ts';
import { fail } from './errors.ts';
import { OCI_INDEX, SHA256 } from './manifest.ts';
import { sendJson } from './reply.ts';
import type { Artifact } from './state.ts';
import type { V2Target } from './v2.ts';

const view = (artifact: Artifact): object => ({
  mediaType: artifact.manifestMediaType,
  digest: artifact.digest,
  size: artifact.manifestSize,
  ...(Object.keys(artifact.annotations).length === 0 ? {} : { annotations: artifact.annotations }),
  artifactType: artifact.artifactType,
});

/** Core's own answer; distribution 2.8 knows no referrers. An unknown digest or repository has an empty list. */
export function sendReferrers(x: Exchange, { repository: name, reference: digest }: V2Target): void {
  if (!SHA256.test(digest)) throw fail('UNSUPPORTED', `unsupported digest ${digest}: invalid checksum digest format`);
  const repository = x.harbor.state.repositories[name];
  const all = repository === undefined ? [] : accessoriesOf(repository, digest);
  const wanted = x.query.get('artifactType') ?? '';
  const shown = wanted === '' ? all : all.filter((artifact) => artifact.artifactType === wanted);
  sendJson(
    x,
    200,
    { schemaVersion: 2, mediaType: OCI_INDEX, manifests: shown.map(view) },
    {
      'Content-Type': OCI_INDEX,
      'X-Total-Count': all.length,
      ...(wanted === '' ? {} : { 'OCI-Filters-Applied': 'artifactType' }),
    },
  );
}
