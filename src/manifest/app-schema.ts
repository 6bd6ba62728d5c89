import { z } from 'zod';
import { Label, Port, PortName, Quantity, StringMap, Variable } from './fields.ts';

const AppPort = z.strictObject({
  name: PortName,
  port: Port,
  protocol: z.enum(['TCP', 'UDP', 'SCTP']).optional(),
});

const Resources = z.strictObject({
  limits: z.record(z.string(), z.union([Quantity, Variable])).optional(),
  requests: z.record(z.string(), z.union([Quantity, Variable])).optional(),
});

const Probe = z
  .strictObject({
    http: z.string().startsWith('/').optional().describe('GET this path'),
    tcp: z.literal(true).optional(),
    exec: z.array(z.string()).min(1).optional(),
    port: z.union([Port, PortName]).optional(),
    initialDelaySeconds: z.int().min(0).optional(),
    periodSeconds: z.int().min(1).optional(),
    timeoutSeconds: z.int().min(1).optional(),
    failureThreshold: z.int().min(1).optional(),
  })
  .refine((probe) => [probe.http, probe.tcp, probe.exec].filter((kind) => kind !== undefined).length === 1, {
    message: 'needs exactly one of http, tcp, exec',
  });

const Volume = z
  .strictObject({
    name: Label,
    mount: z.string().startsWith('/'),
    readOnly: z.boolean().optional(),
    subPath: z.string().optional(),
    claim: z
      .strictObject({
        size: z.union([Quantity, Variable]),
        storageClass: z.string().optional(),
        accessModes: z.array(z.enum(['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod'])).optional(),
      })
      .optional()
      .describe('A persistent volume claim: a template of the StatefulSet, else a claim of its own'),
    hostPath: z.string().startsWith('/').optional(),
    emptyDir: z.strictObject({ medium: z.enum(['Memory']).optional(), sizeLimit: Quantity.optional() }).optional(),
  })
  .refine((volume) => [volume.claim, volume.hostPath, volume.emptyDir].filter((kind) => kind !== undefined).length === 1, {
    message: 'needs exactly one of claim, hostPath, emptyDir',
  });

/** An init container or sidecar. */
const Container = z.strictObject({
  name: Label,
  image: z.string().min(1),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).optional(),
  env: StringMap.optional(),
  ports: z.array(AppPort).optional(),
  mounts: StringMap.optional().describe('volume name → path, for volumes of the app'),
  resources: Resources.optional(),
});

const Ingress = z.strictObject({
  host: z
    .string()
    .min(1)
    .describe('A host name, or the site’s nip.io domain (`nip.io`): then <app>.<namespace>.<ip>.nip.io for each ingress address'),
  path: z.string().startsWith('/').optional(),
  pathType: z.enum(['Prefix', 'Exact', 'ImplementationSpecific']).optional(),
  port: z.union([Port, PortName]),
  annotations: StringMap.optional(),
  tls: z.string().optional().describe('Name of the Secret with the certificate'),
});

export const HOOKS_NOT_YET = z.record(z.string(), z.unknown());

export const AppSchema = z.strictObject({
  name: Label,
  namespace: Label,
  kind: z.enum(['StatefulSet', 'Deployment', 'DaemonSet', 'Job', 'CronJob', 'Rollout']),
  image: z.string().min(1),
  imagePullPolicy: z.enum(['IfNotPresent', 'Always', 'Never']).optional(),
  replicas: z.int().min(0).optional(),
  schedule: z.string().optional().describe('CronJob only'),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).optional(),
  ports: z.array(AppPort).optional(),
  env: StringMap.optional(),
  files: StringMap.optional().describe('path in the container → local file; carried as a ConfigMap'),
  secrets: StringMap.optional().describe('environment variable → ${secret.name}'),
  volumes: z.array(Volume).optional(),
  spread: z.enum(['preferred', 'required', 'none']).optional().describe('Anti-affinity of replicas over hosts'),
  resources: Resources.optional(),
  probes: z.strictObject({ readiness: Probe.optional(), liveness: Probe.optional(), startup: Probe.optional() }).optional(),
  initContainers: z.array(Container).optional(),
  sidecars: z.array(Container).optional(),
  terminationGracePeriodSeconds: z.int().min(0).optional(),
  labels: StringMap.optional(),
  annotations: StringMap.optional(),
  service: z
    .strictObject({
      type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer', 'Headless']).optional(),
      nodePorts: z.record(z.string(), Port).optional().describe('port name → node port'),
    })
    .optional(),
  ingress: z.array(Ingress).optional(),
  dependsOn: z.array(Label).optional(),
  hooks: HOOKS_NOT_YET.optional(),
});

export type App = z.infer<typeof AppSchema>;
export type AppContainer = z.infer<typeof Container>;
export type AppVolume = z.infer<typeof Volume>;
export type AppProbe = z.infer<typeof Probe>;
export type AppIngress = z.infer<typeof Ingress>;
