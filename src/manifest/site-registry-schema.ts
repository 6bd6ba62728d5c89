import { z } from 'zod';
import { HostName, HostPath, Label, Port, Quantity, SecretVariable } from './fields.ts';

const Install = z
  .strictObject({
    kind: z.enum(['harbor', 'distribution']),
    dataVolume: HostPath.optional().describe('/var/lib/harbor or /var/lib/registry when absent'),
    certificate: z.string().optional().describe('PEM file; without it a private CA is made on site'),
    key: z.string().optional().describe('PEM file of its private key'),
    httpsPort: Port.optional().describe('443 when absent'),
  })
  .refine((install) => (install.certificate === undefined) === (install.key === undefined), {
    message: 'certificate and key go together: one is missing',
  });

const Project = z.strictObject({
  name: z.string().min(1),
  quota: Quantity.optional().describe('Most that it may hold: 100Gi; without end when absent'),
  public: z.boolean().optional().describe('Anyone may pull, false when absent'),
});

const Trigger = z.union([
  z.enum(['manual', 'event']),
  z.strictObject({ cron: z.string().min(1).describe('Six fields, seconds first, in UTC: “0 0 2 * * *”') }),
]);

const Replication = z.strictObject({
  name: Label,
  direction: z.enum(['push', 'pull']).optional().describe('push (default): from here to the other registry'),
  registry: z
    .strictObject({
      url: z.url().describe('https://harbor.other-site.example'),
      username: z.string().optional(),
      password: SecretVariable.optional(),
      insecure: z.boolean().optional().describe('Don’t check its certificate'),
    })
    .describe('The other Harbor'),
  repositories: z.string().optional().describe('Pattern of repositories: “docker.io/**”; all when absent'),
  tags: z.string().optional().describe('Pattern of tags; all when absent'),
  trigger: Trigger.optional().describe('manual when absent'),
  override: z.boolean().optional().describe('Replace what is there under the same name, true when absent'),
  speed: z.int().min(1).optional().describe('KiB per second at most'),
});

const Preheat = z.strictObject({
  name: Label,
  project: z.string().min(1),
  provider: z.strictObject({
    name: Label,
    vendor: z.enum(['dragonfly', 'kraken']),
    endpoint: z.url(),
    username: z.string().optional(),
    password: SecretVariable.optional(),
    insecure: z.boolean().optional().describe('Don’t check its certificate'),
  }),
  repositories: z.string().optional().describe('Pattern of repositories; all when absent'),
  tags: z.string().optional().describe('Pattern of tags; all when absent'),
  trigger: Trigger.optional().describe('manual when absent'),
});

export const SiteRegistrySchema = z.strictObject({
  type: z.enum(['auto', 'harbor', 'plain']).optional().describe('auto (default) asks the registry whether it is a Harbor'),
  host: z.string().min(1).describe('Name that pods and nodes use, with a port if it is not 443'),
  address: z.string().optional().describe('Address to connect to instead of resolving the name'),
  via: HostName.optional().describe('Reach it through an SSH tunnel from this host'),
  project: z.string().optional().describe('Put every source host below this one project'),
  username: z.string().optional(),
  password: SecretVariable.optional(),
  pull: z
    .strictObject({ username: z.string(), password: SecretVariable })
    .optional()
    .describe('Account that pods pull with; without it deliver makes a robot account in Harbor that may only pull'),
  storage: z
    .string()
    .startsWith('/')
    .optional()
    .describe('Folder where hosts of the role registry keep its data; plan checks that what is pushed fits there'),
  ca: z.string().optional().describe('PEM file of the private CA'),
  plainHttp: z.boolean().optional(),
  install: Install.optional().describe('Install it on the hosts of the role registry, from what the release carries'),
  projects: z.array(Project).optional().describe('Harbor projects that must be there, beside those that the release needs'),
  immutableTags: z
    .boolean()
    .optional()
    .describe('Whether Harbor refuses to move a released tag; true when absent and deliver installs it'),
  replication: z.array(Replication).optional().describe('Harbor replication policies that are kept as written here'),
  preheat: z.array(Preheat).optional().describe('Harbor P2P preheat policies that are kept as written here'),
});

export type SiteRegistry = z.infer<typeof SiteRegistrySchema>;
export type RegistryInstall = z.infer<typeof Install>;
export type RegistryReplication = z.infer<typeof Replication>;
export type RegistryPreheat = z.infer<typeof Preheat>;
