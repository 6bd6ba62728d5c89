import { z } from 'zod';
import { AppSchema } from './app-schema.ts';
import { ComponentUrlsSchema, ComponentVersionsSchema } from './component-schema.ts';
import { FileWord, Label, PlatformText, Port, PortName, RefWord, ReleaseName, StringMap, Variable } from './fields.ts';

const RegistrySource = z.strictObject({
  mirror: z.string().min(1).describe('host[:port][/path] that serves this registry’s repositories'),
  plainHttp: z.boolean().optional(),
  ca: z.string().optional().describe('PEM file of a private CA'),
});

const Sources = z.strictObject({
  ca: z
    .string()
    .optional()
    .describe('PEM file of a private CA that the web servers and registries of the connected side may be signed by'),
  registries: z.record(z.string(), RegistrySource).optional(),
  images: z
    .record(z.string(), z.union([z.string(), z.array(z.string()).min(1)]))
    .optional()
    .describe('image → docker-archive:PATH, oci-archive:PATH, oci:FOLDER or docker-daemon:NAME; a list: one for each platform'),
  files: ComponentUrlsSchema.optional(),
  base: StringMap.optional().describe(
    'Upstream base URL → what stands in its place: “https://dl.k8s.io” → “https://mirror.corp.example/k8s”',
  ),
});

const FileItem = z
  .strictObject({
    name: RefWord,
    path: z.string().optional(),
    url: z.string().optional(),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
  })
  .refine((file) => (file.path === undefined) !== (file.url === undefined), { message: 'needs exactly one of path, url' });

export const ExternalSchema = z.strictObject({
  name: Label,
  namespace: Label,
  ports: z
    .array(
      z.strictObject({
        name: PortName.optional(),
        port: Port,
        targetPort: Port.optional(),
        protocol: z.enum(['TCP', 'UDP']).optional(),
      }),
    )
    .min(1),
  addresses: z.union([Variable, z.array(z.strictObject({ ip: z.string() })).min(1)]),
});

export const ChartSchema = z.strictObject({
  name: Label,
  chart: z.string().min(1).describe('oci://…, a name in `repo`, or a local folder'),
  repo: z.url().optional(),
  version: z.string().optional(),
  namespace: Label,
  values: z.array(z.string()).optional(),
  dependsOn: z.array(Label).optional(),
});

export const ReleaseSchema = z
  .strictObject({
    apiVersion: z.literal('deliver/v1'),
    kind: z.literal('Release'),
    metadata: z.strictObject({ name: ReleaseName, version: FileWord }),
    platforms: z.array(PlatformText).min(1),
    kubernetes: z
      .strictObject({
        version: z.string().regex(/^v\d+\.\d+\.\d+$/, 'must look like v1.34.4'),
        components: ComponentVersionsSchema.optional(),
      })
      .optional(),
    sources: Sources.optional(),
    versions: StringMap.optional().describe('Values of ${versions.name}'),
    images: z.array(z.string()).optional().describe('Images that no app names'),
    referrers: z
      .boolean()
      .optional()
      .describe('Also carry what refers to the images: signatures, attestations, bills of materials'),
    files: z.array(FileItem).optional(),
    externals: z.array(ExternalSchema).optional(),
    apps: z.array(AppSchema).optional(),
    charts: z.array(ChartSchema).optional(),
    manifests: z
      .array(
        z.strictObject({
          name: Label.optional().describe('Name that dependsOn of others knows it by'),
          path: z.string().describe('Plain YAML: a file, a folder or a URL'),
          dependsOn: z.array(Label).optional(),
        }),
      )
      .optional(),
  })
  .meta({ title: 'deliver Release', description: 'What to ship, by version' });

export type Release = z.infer<typeof ReleaseSchema>;
export type External = z.infer<typeof ExternalSchema>;
export type Chart = z.infer<typeof ChartSchema>;
export type FileItem = z.infer<typeof FileItem>;
export type Sources = z.infer<typeof Sources>;
export type RegistrySource = z.infer<typeof RegistrySource>;
