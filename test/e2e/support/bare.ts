import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { onSite, REPOSITORY, type Outcome, type RunOptions } from './deliver.ts';
import { onHost, readLab, type Lab } from './lab.ts';
import { signingKey, type SigningKey } from './releases.ts';

/** Values that must be found nowhere afterwards but where Kubernetes and the registry keep them themselves. */
export interface Planted {
  readonly registry: string;
  readonly app: string;
  /** The password that sudo asks opspw for. */
  readonly sudo: string;
}

/** Bare hosts, a folder, a packager's key and planted secrets. */
export interface BareSetting {
  readonly lab: Lab;
  /** Everything that deliver keeps on the operator's machine is below it, too. */
  readonly folder: string;
  readonly key: SigningKey;
  readonly planted: Planted;
  /** Runs deliver at the operator's machine, with the site's secrets. */
  deliver(args: readonly string[], options?: RunOptions): Promise<Outcome>;
}

export interface BareSite {
  readonly controlPlanes?: readonly string[];
  readonly workers?: readonly string[];
  /** Hosts of an etcd apart; stacked when absent. */
  readonly etcd?: readonly string[];
  /** Hosts that are in the file without a role. */
  readonly spare?: readonly string[];
  /** Nodes and members of etcd that are to go. */
  readonly drain?: readonly string[];
  readonly loadBalancer?: 'haproxy' | 'kube-vip' | 'none';
  /** Hosts are reached without the bastion. */
  readonly direct?: boolean;
  /** Which registry deliver installs, distribution when absent. */
  readonly registryKind?: 'distribution' | 'harbor';
  /** Further fields of `registry:`; `none`: there is none, and deliver brings the images to the nodes. */
  readonly registry?: Readonly<Record<string, unknown>> | 'none';
}

/** Every bare host as it was before deliver came. */
export async function prepareBare(): Promise<BareSetting> {
  const lab = readBareLab();
  resetBare();
  const folder = await mkdtemp(path.join(tmpdir(), 'deliver-e2e-'));
  const planted: Planted = { registry: plant('registry'), app: plant('app'), sudo: lab.ssh.users.opspw.password };
  const env = {
    XDG_STATE_HOME: path.join(folder, 'state'),
    DELIVER_SECRET_REGISTRY: planted.registry,
    DELIVER_SECRET_APP_TOKEN: planted.app,
    DELIVER_SECRET_OPSPW: planted.sudo,
  };
  return {
    lab,
    folder,
    key: await signingKey(folder),
    planted,
    deliver: (args, options = {}) => onSite(args, { timeout: 540_000, ...options, env: { ...env, ...options.env } }),
  };
}

function plant(name: string): string {
  return `planted-${name}-${randomBytes(9).toString('hex')}`;
}

/** The lab that is up; throws with the command that brings it up when it is none of bare hosts. */
export function readBareLab(): Lab {
  const lab = readLab();
  if (lab.mode !== 'bare') throw new Error('The lab has no bare hosts: DELIVER_LAB_MODE=bare bash test/lab/up.sh');
  return lab;
}

function labScript(name: string, ...args: string[]): void {
  execFileSync('bash', [path.join(REPOSITORY, 'test/lab', name), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 300_000,
  });
}

/** Makes these hosts bare again; all of them, the counters and Redis when none is named. */
export function resetBare(...hosts: string[]): void {
  labScript('bare-reset.sh', ...hosts);
}

/** What reaches these hosts comes at so many Mbit/s; 0: at full speed. */
export function slowLine(rate: number, hosts: readonly string[]): void {
  labScript('slow-line.sh', String(rate), ...hosts);
}

/** Pulls the plug of a host, or puts it in again and waits for its sshd. */
export function power(host: string, state: 'on' | 'off'): void {
  labScript('powercycle.sh', host, state);
}

/** Writes a site file for bare hosts, reached through the bastion, w1 as a user whose sudo asks for a password; returns its path. */
export async function writeBareSite({ lab, folder, key }: BareSetting, name: string, site: BareSite = {}): Promise<string> {
  const {
    controlPlanes = ['cp1'],
    workers = ['w1'],
    etcd = [],
    spare = [],
    drain = [],
    loadBalancer = 'none',
    direct = false,
    registryKind = 'distribution',
    registry = {},
  } = site;
  const host = (host: string): Record<string, unknown> => ({
    name: host,
    address: lab.hosts[host]?.address,
    ...(host === 'w1' ? { user: 'opspw', password: '${secret.opspw}' } : { user: 'ops', key: lab.ssh.key }),
    sudo: true,
    ...(direct ? {} : { via: 'bastion' }),
  });
  const hasRegistry = registry !== 'none';
  const names = [...new Set([...controlPlanes, ...workers, ...etcd, ...spare, ...(hasRegistry ? ['reg1'] : [])])];
  const content = {
    apiVersion: 'deliver/v1',
    kind: 'Site',
    metadata: { name: 'bare' },
    trust: [key.publicKey],
    knownHosts: lab.ssh.knownHosts,
    hosts: [{ name: 'bastion', address: lab.hosts['bastion']?.address, user: 'ops', key: lab.ssh.key }, ...names.map(host)],
    roles: {
      'control-plane': controlPlanes,
      worker: workers,
      ...(hasRegistry ? { registry: ['reg1'] } : {}),
      ...(etcd.length > 0 ? { etcd } : {}),
    },
    ...(drain.length > 0 ? { drain } : {}),
    controlPlaneEndpoint: { domain: 'lb.site.local', port: 6443, loadBalancer },
    ...(registry === 'none'
      ? {}
      : {
          registry: {
            host: lab.harbor.host,
            address: lab.harbor.address,
            via: 'bastion',
            username: 'admin',
            password: '${secret.registry}',
            install: { kind: registryKind },
            ...registry,
          },
        }),
    network: { plugin: 'flannel', pods: '10.244.0.0/16', services: '10.96.0.0/12' },
    ingress: { class: 'traefik', addresses: lab.ingress.addresses },
    storageClass: 'local-path',
    externals: { redis: [{ ip: lab.redis.address }] },
  };
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, `${name}.site.yaml`);
  await writeFile(file, stringify(content));
  return file;
}

/** kubectl with the admin's kubeconfig on a control plane; its standard output. */
export function kubectlOn(lab: Lab, host: string, ...args: readonly string[]): Promise<string> {
  const quoted = args.map((arg) => `'${arg.replaceAll("'", String.raw`'\''`)}'`).join(' ');
  return onHost(lab, host, `/usr/local/bin/kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=30s ${quoted}`);
}

/** `cp1=True/v1.34.4` of every node, sorted. */
export async function nodesOf(lab: Lab, controlPlane: string): Promise<readonly string[]> {
  const conditions = '{.status.conditions[?(@.type=="Ready")].status}';
  const line = `{.metadata.name}=${conditions}/{.status.nodeInfo.kubeletVersion}{"\\n"}`;
  const text = await kubectlOn(lab, controlPlane, 'get', 'nodes', '-o', `jsonpath={range .items[*]}${line}{end}`);
  return text.trim().split('\n').sort();
}

/** The secrets of kubeadm that let somebody join: none may outlive a run. */
export function joinSecrets(lab: Lab, controlPlane: string): Promise<string> {
  const jsonpath = 'jsonpath={range .items[*]}{.metadata.name} {.type}{"\\n"}{end}';
  return kubectlOn(lab, controlPlane, 'get', 'secrets', '-n', 'kube-system', '-o', jsonpath);
}
