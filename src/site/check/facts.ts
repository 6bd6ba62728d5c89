import { z } from 'zod';
import { DeliverError } from '../../core/errors.ts';

const Whole = z.string().regex(/^\d+$/).transform(Number);
const Limit = z.string().transform((text, context) => {
  if (text === 'unlimited') return Infinity;
  if (/^\d+$/.test(text)) return Number(text);
  context.addIssue('is no number');
  return z.NEVER;
});
const Kilobytes = Whole.transform((count) => count * 1024);
const Text = z.string().min(1).max(500);
const Words = <const K extends readonly string[]>(...names: K) =>
  Text.transform((text) => {
    const words = text.split(' ');
    return Object.fromEntries(names.map((name, index) => [name, words[index] ?? ''])) as Record<K[number], string>;
  });
const yes = z
  .array(z.literal('yes'))
  .max(1)
  .default([])
  .transform((found) => found.length > 0);
const one = <T extends z.ZodType>(value: T) => z.tuple([value]).transform(([only]) => only);
const maybe = <T extends z.ZodType>(value: T) =>
  z
    .array(value)
    .max(1)
    .default([])
    .transform((found) => found[0]);
const many = <T extends z.ZodType>(value: T) => z.array(value).default([]);

const Disk = z.string().transform((text, context) => {
  const [path = '', total, free, mount = '', options = '', inodes = ''] = text.split('|');
  const [totalKilobytes, freeKilobytes] = [Number(total), Number(free)];
  if (!path.startsWith('/') || !Number.isSafeInteger(totalKilobytes) || !Number.isSafeInteger(freeKilobytes)) {
    context.addIssue('is no line about a file system');
    return z.NEVER;
  }
  return {
    path,
    total: totalKilobytes * 1024,
    free: freeKilobytes * 1024,
    mount,
    options: options.split(',').filter(Boolean),
    ...(inodes === '' ? {} : { freeInodes: Number(inodes) }),
  };
});

const Os = z.string().transform((text) => {
  const [id = '', version = '', title = ''] = text.split('|');
  return { id, version, title: title === '' ? `${id} ${version}`.trim() : title };
});

const Facts = z.strictObject({
  os: one(Os),
  kernel: one(Text),
  cpus: one(Whole),
  memory: one(Kilobytes),
  /** What programs could still have without swapping. */
  available: maybe(Kilobytes),
  hostname: one(Text),
  machineId: maybe(Text),
  productUuid: maybe(Text),
  container: maybe(Text),
  uptime: one(Whole),
  reboot: yes,
  systemd: yes,
  lacks: many(Text),
  swap: many(Words('device', 'kilobytes', 'used')),
  cgroup: one(z.enum(['1', '2']).transform(Number)),
  module: many(Words('name', 'state')),
  sysctl: many(Words('key', 'value', 'settable')),
  conntrack: maybe(z.literal('fixed')),
  oom: one(z.enum(['free', 'restricted'])),
  inotify: one(Whole),
  files: one(Limit),
  address: many(Words('device', 'cidr')),
  route: many(Words('cidr', 'device', 'via')),
  listen: many(Words('port', 'holder')),
  disk: many(Disk),
  resolved: many(
    z.string().transform((text) => {
      const [name = '', ...addresses] = text.split(' ').filter(Boolean);
      return { name, addresses };
    }),
  ),
  ours: many(z.enum(['kubernetes', 'host'])),
  left: many(Text),
  process: many(Text),
  selinux: maybe(z.enum(['0', '1'])),
  firewall: many(z.enum(['firewalld', 'ufw'])),
  requiretty: yes,
  proxy: maybe(Text),
  cert: many(z.string().transform(nameAndData)),
  kubeconfig: many(z.string().transform(nameAndData)),
  etcd: maybe(Text),
  end: one(z.literal('yes')),
});

/** What a host says about itself when a site is to be built on it. */
export type BuildFacts = z.infer<typeof Facts>;
export type FileSystem = BuildFacts['disk'][number];

/**
 * Reads the `b.` lines of a probe, strictly: a host that answers otherwise than asked is not judged by halves. Undefined
 * when it was not asked.
 * @throws DeliverError E_HOST
 */
export function parseBuildFacts(host: string, output: string): BuildFacts | undefined {
  const lines = new Map<string, string[]>();
  for (const line of output.split('\n')) {
    const [, key, value] = /^b\.([a-zA-Z]+)=(.*)$/.exec(line) ?? [];
    if (key === undefined || value === undefined) continue;
    lines.set(key, [...(lines.get(key) ?? []), value.trim()]);
  }
  if (lines.size === 0) return undefined;
  const parsed = Facts.safeParse(Object.fromEntries(lines));
  if (parsed.success) return parsed.data;
  throw new DeliverError('E_HOST', {
    what: `${host} answered the questions of the preflight in a way that is not understood.`,
    why: parsed.error.issues
      .slice(0, 3)
      .map(({ path, message }) => `${path.map(String).join('.')}: ${message}`)
      .join('; '),
    fix: `Its shell and core programs should be POSIX’ (dash, bash or busybox, with awk, df and ip).`,
    state: 'Nothing was changed.',
  });
}

function nameAndData(text: string): { readonly name: string; readonly data: string } {
  const at = text.indexOf(' ');
  return at < 0 ? { name: text, data: '' } : { name: text.slice(0, at), data: text.slice(at + 1) };
}
