import { z } from 'zod';
import { isDigest, type Digest } from '../core/digest.ts';
import { COMPONENT_NAMES, KUBERNETES_PROGRAMS } from '../manifest/component-schema.ts';
import { FileWord, PlatformText, ReleaseName } from '../manifest/fields.ts';
import { ReleaseSchema } from '../manifest/release-schema.ts';

const DigestField = z
  .custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'must be sha256: and 64 hex digits')
  // What a JSON Schema says about it; a custom type says nothing by itself.
  .meta({ type: 'string', pattern: '^sha256:[0-9a-f]{64}$' });
const Size = z.int().min(0);

/** A blob or manifest: what an OCI descriptor says, `data` (base64) when deliver made the bytes itself. */
export const LockedBlob = z.strictObject({
  digest: DigestField,
  size: Size,
  mediaType: z.string(),
  platform: PlatformText.optional(),
  data: z.base64().optional(),
});

/** A signature, attestation or other artifact about a manifest of an image. */
const LockedReferrer = z.strictObject({
  digest: DigestField,
  size: Size,
  mediaType: z.string(),
  artifactType: z.string().optional(),
  /** The manifest that it is about. */
  subject: DigestField,
  /** The tag by which it is found, where it does not name its subject itself: cosign’s `sha256-….sig`. */
  tag: z.string().optional(),
  /** Config and layers. */
  blobs: z.array(LockedBlob),
});

const LockedImage = z.strictObject({
  /** Canonical reference: host/repository:tag. */
  reference: z.string(),
  ...LockedBlob.shape,
  /** Child manifests of an index, in the index's order. */
  manifests: z.array(LockedBlob).optional(),
  /** Configs and layers of every manifest, each once, in first-use order. */
  blobs: z.array(LockedBlob),
  /** What refers to it, when the release says `referrers: true`. */
  referrers: z.array(LockedReferrer).optional(),
  /** Where the release names it: `app gatekeeper`, `app gatekeeper, initContainers[0]`, `images[2]`. */
  neededBy: z.array(z.string()),
});

const LockedChart = z.strictObject({
  name: z.string(),
  version: z.string(),
  /** Repository path below the site's registry, and the reference it came from. */
  reference: z.string(),
  source: z.string(),
  ...LockedBlob.shape,
  blobs: z.array(LockedBlob),
});

const LockedFile = z.strictObject({
  name: z.string(),
  /** File name on arrival (org.opencontainers.image.title). */
  title: z.string(),
  source: z.string(),
  digest: DigestField,
  size: Size,
  /** Which program it is, of those that a site is made of. */
  component: z
    .strictObject({ name: z.enum([...KUBERNETES_PROGRAMS, ...COMPONENT_NAMES]), version: z.string(), platform: PlatformText })
    .optional(),
  /** Images that this file asks for: those of kubeadm, those of the pods in a manifest. */
  images: z.array(z.string()).optional(),
});

/** The release by digest and size. `release` is the manifest itself with `${versions.…}` filled in. */
export const LockSchema = z
  .strictObject({
    apiVersion: z.literal('deliver/v1'),
    kind: z.literal('Lock'),
    metadata: z.strictObject({ name: ReleaseName, version: FileWord }),
    platforms: z.array(PlatformText).min(1),
    files: z.array(LockedFile),
    charts: z.array(LockedChart),
    images: z.array(LockedImage),
    release: ReleaseSchema,
  })
  .meta({ title: 'deliver Lock', description: 'A release with every thing by digest and size' });

export type Lock = z.infer<typeof LockSchema>;
export type LockedBlob = z.infer<typeof LockedBlob>;
export type LockedImage = z.infer<typeof LockedImage>;
export type LockedReferrer = z.infer<typeof LockedReferrer>;
export type LockedChart = z.infer<typeof LockedChart>;
export type LockedFile = z.infer<typeof LockedFile>;
