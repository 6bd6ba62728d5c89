import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import { commandOnSite, REPOSITORY } from './deliver.ts';

const Description = z.object({
  /** bare: hosts with nothing but sshd; site: a Harbor and a Kubernetes are there. */
  mode: z.enum(['site', 'bare']).optional(),
  dir: z.string(),
  site: z.string(),
  hosts: z.record(z.string(), z.object({ address: z.string(), state: z.string() })),
  ssh: z.object({ knownHosts: z.string(), key: z.string(), users: z.object({ opspw: z.object({ password: z.string() }) }) }),
  harbor: z.object({
    host: z.string(),
    address: z.string(),
    username: z.string(),
    passwordFile: z.string(),
    ca: z.string(),
    accessLog: z.string(),
    storage: z.string(),
  }),
  kubernetes: z.object({ kubeconfig: z.string(), storageClass: z.string(), ingressClass: z.string() }),
  ingress: z.object({ addresses: z.array(z.string()) }),
  redis: z.object({ address: z.string() }),
  upstream: z.object({ registry: z.string(), accessLog: z.string() }),
  /** host:port of the web server with the programs; only a lab of bare hosts has it. */
  components: z.string().optional(),
  bin: z.object({ kubectl: z.string(), crane: z.string(), regctl: z.string(), skopeo: z.string() }),
});
export type Lab = z.infer<typeof Description>;

const FOLDER = process.env['DELIVER_LAB_DIR'] ?? '/var/tmp/deliver-lab';

/** The lab that is up; throws with the command that brings it up. */
export function readLab(): Lab {
  const file = path.join(FOLDER, 'site/lab.json');
  if (!existsSync(file)) throw new Error('The lab is not up: bash test/lab/up.sh');
  return Description.parse(JSON.parse(readFileSync(file, 'utf8')));
}

/** The site as it was before deliver came. */
export function resetSite(): void {
  execFileSync('bash', [path.join(REPOSITORY, 'test/lab/reset.sh')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 300_000,
  });
}

/** Packets that tried to leave the site since the last reset. */
export function escapes(): number {
  return Number(execFileSync('bash', [path.join(REPOSITORY, 'test/lab/escapes.sh')], { encoding: 'utf8' }).trim());
}

export interface SiteOptions {
  /** Reach the API and Harbor through the bastion (true, default) or directly. */
  readonly tunnelled?: boolean;
  readonly trust?: readonly string[];
  /** Merged over the hosts: `{ w1: { hostKey: … } }`. */
  readonly hosts?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly registry?: Readonly<Record<string, unknown>>;
}

/** Writes the lab's site file into a folder and returns its path. Secrets go by environment: `secretsOf`. */
export async function writeSite(lab: Lab, folder: string, options: SiteOptions = {}): Promise<string> {
  const via = options.tunnelled === false ? {} : { via: 'bastion' };
  const host = (name: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
    name,
    address: lab.hosts[name]?.address,
    user: 'ops',
    key: lab.ssh.key,
    sudo: true,
    ...more,
    ...options.hosts?.[name],
  });
  const site = {
    apiVersion: 'deliver/v1',
    kind: 'Site',
    metadata: { name: 'lab' },
    ...(options.trust === undefined ? {} : { trust: options.trust }),
    knownHosts: lab.ssh.knownHosts,
    hosts: [host('bastion', { sudo: false }), host('cp1', via), host('w1', via), host('reg1', via)],
    roles: { 'control-plane': ['cp1'], worker: ['w1'], registry: ['reg1'] },
    registry: {
      host: lab.harbor.host,
      address: lab.harbor.address,
      username: lab.harbor.username,
      password: '${secret.harbor}',
      ca: lab.harbor.ca,
      ...via,
      ...options.registry,
    },
    cluster: { kubeconfig: lab.kubernetes.kubeconfig, ...via },
    ingress: { class: lab.kubernetes.ingressClass, addresses: lab.ingress.addresses },
    storageClass: lab.kubernetes.storageClass,
    externals: { redis: [{ ip: lab.redis.address }] },
  };
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, 'lab.site.yaml');
  await writeFile(file, stringify(site));
  return file;
}

/** The environment that holds the site's secrets. */
export function siteSecrets(lab: Lab): Record<string, string> {
  return { DELIVER_SECRET_HARBOR: readFileSync(lab.harbor.passwordFile, 'utf8').trim() };
}

/** kubectl with the admin's kubeconfig, inside the site; its standard output. */
export async function kubectl(lab: Lab, ...args: string[]): Promise<string> {
  const outcome = await commandOnSite([lab.bin.kubectl, '--kubeconfig', lab.kubernetes.kubeconfig, ...args]);
  if (outcome.code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${outcome.text}`);
  return outcome.stdout;
}

/** A shell command as root on a host of the site; its standard output. */
export async function onHost(lab: Lab, host: string, command: string, stdin = ''): Promise<string> {
  const address = lab.hosts[host]?.address ?? host;
  const outcome = await commandOnSite(
    [
      'ssh',
      '-i',
      lab.ssh.key,
      '-o',
      `UserKnownHostsFile=${lab.ssh.knownHosts}`,
      '-o',
      'BatchMode=yes',
      '-o',
      'LogLevel=ERROR',
      `root@${address}`,
      command,
    ],
    { timeout: 120_000, stdin },
  );
  if (outcome.code !== 0) throw new Error(`${host}: ${command}: ${outcome.text}`);
  return outcome.stdout;
}

const Request = z.object({ method: z.string(), path: z.string(), status: z.number() });
export type HarborRequest = z.infer<typeof Request>;

/** Every request that Harbor answered since the last `forgetRequests`. */
export function harborRequests(lab: Lab): readonly HarborRequest[] {
  return readFileSync(lab.harbor.accessLog, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Request.parse(JSON.parse(line)));
}

/** Number of lines in Harbor's access log now, to look only at what comes after. */
export function mark(lab: Lab): number {
  return harborRequests(lab).length;
}

/** Harbor without content or projects, its log empty; the rest of the site as it is. */
export async function wipeHarbor(lab: Lab): Promise<void> {
  await onHost(
    lab,
    'reg1',
    'systemctl stop harbor-front docker-registry; find /var/lib/docker-registry -mindepth 1 -delete; rm -f /var/lib/harbor-front/* /var/log/harbor-front/access.log; systemctl start docker-registry harbor-front; for i in $(seq 100); do curl -ks -o /dev/null https://127.0.0.1/api/v2.0/ping && exit; sleep 0.1; done',
  );
}
