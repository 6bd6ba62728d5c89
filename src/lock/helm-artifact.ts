import { canonicalJson, type Json } from '../core/canonical-json.ts';
import { digestOf } from '../core/digest.ts';
import { MEDIA } from '../core/oci.ts';
import type { ChartYaml } from './chart-yaml.ts';
import type { LockedBlob } from './lock-schema.ts';

/** A packaged chart as Helm would push it (helm, pkg/registry), without the time that Helm puts in. */
export function helmArtifact(
  chart: ChartYaml,
  archive: Pick<LockedBlob, 'digest' | 'size'>,
): { manifest: LockedBlob; blobs: LockedBlob[] } {
  const config = made(MEDIA.helmConfig, chart.json);
  const layer: LockedBlob = { digest: archive.digest, size: archive.size, mediaType: MEDIA.helmChart };
  const manifest = made(MEDIA.manifest, {
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    config: { mediaType: config.mediaType, digest: config.digest, size: config.size },
    layers: [{ mediaType: layer.mediaType, digest: layer.digest, size: layer.size }],
    annotations: { 'org.opencontainers.image.title': chart.name, 'org.opencontainers.image.version': chart.version },
  });
  return { manifest, blobs: [config, layer] };
}

/** `+` can't stand in an OCI tag; Helm writes `_` for it. */
export function chartTag(version: string): string {
  return version.replaceAll('+', '_');
}

function made(mediaType: string, value: Json): LockedBlob {
  const bytes = Buffer.from(canonicalJson(value));
  return { digest: digestOf(bytes), size: bytes.byteLength, mediaType, data: bytes.toString('base64') };
}
