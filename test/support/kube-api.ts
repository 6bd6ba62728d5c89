import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Agent, request } from 'undici';

const KUBERNETES = 'kubernetes-v1.34.4';
const ETCD = 'etcd-v3.6.5';

/** A real etcd and kube-apiserver on loopback, and what a test does to them. */
export interface KubeApiServer {
  /** Of a cluster administrator. */
  readonly kubeconfig: string;
  /** Of a user who may do nothing but look at ConfigMaps in namespace `default`. */
  readonly guestKubeconfig: string;
  readonly port: number;
  /** PEM of the certificate that the server shows. */
  readonly ca: string;
  readonly token: string;
  /** Audit lines of requests that would write: `patch deployments/web`. Dry runs are left out. */
  writes(): Promise<string[]>;
  kill(): Promise<void>;
  start(): Promise<void>;
  startControllers(): Promise<void>;
  kubectl(args: readonly string[], stdin?: string): Promise<string>;
  /** Plays the kubelet: writes an object's status. */
  patchStatus(path: string, status: unknown): Promise<void>;
  stop(): Promise<void>;
}

/** Why there is no API server to test against, or undefined when there is one. */
export async function whyNoKubernetes(): Promise<string | undefined> {
  const needed = [
    ...['kube-apiserver', 'kube-controller-manager', 'kubectl'].map((name) => binary(KUBERNETES, name)),
    binary(ETCD, 'etcd'),
  ];
  for (const path of needed) {
    const there = await access(path).then(
      () => true,
      () => false,
    );
    if (!there) return `${path} is not built yet: test/lab/binaries.sh builds it`;
  }
  return undefined;
}

function binary(folder: string, name: string): string {
  return join(process.env.DELIVER_LAB_CACHE ?? join(homedir(), '.cache/deliver-lab'), 'bin', folder, name);
}

/** A program of Kubernetes, `v1.34.4` `kubeadm`; it need not be built. */
export function kubernetesProgram(version: string, name: string): string {
  return binary(`kubernetes-${version}`, name);
}

/** The kubectl of the API server’s version. */
export function kubectlPath(): string {
  return binary(KUBERNETES, 'kubectl');
}

/** Starts etcd and kube-apiserver in a folder of their own; `stop()` leaves nothing behind. */
export async function startKubeApi(): Promise<KubeApiServer> {
  const folder = await mkdtemp(join(tmpdir(), 'deliver-kube-'));
  const server = new LoopbackKube(folder);
  try {
    await server.prepare();
    await server.start();
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

class LoopbackKube implements KubeApiServer {
  readonly token = randomBytes(16).toString('hex');
  readonly #guestToken = randomBytes(16).toString('hex');
  readonly #folder: string;
  readonly #processes = new Set<ChildProcess>();
  #apiServer: ChildProcess | undefined;
  #etcdPort = 0;
  port = 0;
  ca = '';
  kubeconfig = '';
  guestKubeconfig = '';

  constructor(folder: string) {
    this.#folder = folder;
  }

  async prepare(): Promise<void> {
    const [etcdPort, peerPort, port] = await freePorts(3);
    if (etcdPort === undefined || peerPort === undefined || port === undefined) throw new Error('no free ports');
    this.#etcdPort = etcdPort;
    this.port = port;
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await writeFile(this.#path('sa.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await writeFile(this.#path('sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
    await writeFile(this.#path('tokens.csv'), `${this.token},admin,1,"system:masters"\n${this.#guestToken},guest,2\n`);
    await writeFile(this.#path('audit.yaml'), AUDIT_POLICY);
    const client = `http://127.0.0.1:${String(etcdPort)}`;
    const peer = `http://127.0.0.1:${String(peerPort)}`;
    this.#run(ETCD, 'etcd', [
      ...['--data-dir', this.#path('etcd'), '--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`],
      '--unsafe-no-fsync',
    ]);
  }

  async start(): Promise<void> {
    this.#apiServer = this.#run(KUBERNETES, 'kube-apiserver', [
      ...['--etcd-servers', `http://127.0.0.1:${String(this.#etcdPort)}`, '--cert-dir', this.#path('certs')],
      ...['--bind-address', '127.0.0.1', '--secure-port', String(this.port), '--service-cluster-ip-range', '10.96.0.0/16'],
      ...['--token-auth-file', this.#path('tokens.csv'), '--authorization-mode', 'RBAC'],
      ...['--service-account-issuer', 'https://deliver.test', '--service-account-key-file', this.#path('sa.pub')],
      ...['--service-account-signing-key-file', this.#path('sa.key'), '--disable-admission-plugins', 'ServiceAccount'],
      ...[
        '--audit-policy-file',
        this.#path('audit.yaml'),
        '--audit-log-path',
        this.#path('audit.log'),
        '--audit-log-mode',
        'blocking',
      ],
      ...['--endpoint-reconciler-type', 'none', '--shutdown-delay-duration', '0s'],
    ]);
    await this.#untilReady();
    this.ca = await readFile(this.#path('certs/apiserver.crt'), 'utf8');
    this.kubeconfig = this.#kubeconfigFor(this.token);
    this.guestKubeconfig = this.#kubeconfigFor(this.#guestToken);
    await writeFile(this.#path('kubeconfig'), this.kubeconfig);
  }

  async startControllers(): Promise<void> {
    this.#run(KUBERNETES, 'kube-controller-manager', [
      ...['--kubeconfig', this.#path('kubeconfig'), '--leader-elect=false', '--secure-port', '0'],
      ...[
        '--service-account-private-key-file',
        this.#path('sa.key'),
        '--controllers',
        '*,-service-lb-controller,-node-lifecycle-controller',
      ],
    ]);
  }

  async kill(): Promise<void> {
    const process_ = this.#apiServer;
    this.#apiServer = undefined;
    if (process_ !== undefined) await this.#end(process_);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#processes].map((process_) => this.#end(process_)));
    await rm(this.#folder, { recursive: true, force: true });
  }

  async writes(): Promise<string[]> {
    // A server that is killed may leave half a line.
    const text = await readFile(this.#path('audit.log'), 'utf8');
    const lines = text.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
    return lines.flatMap((line) => {
      const event = JSON.parse(line) as {
        verb: string;
        requestURI: string;
        user: { username: string };
        objectRef?: { resource: string; name?: string };
      };
      if (event.user.username !== 'admin' || event.requestURI.includes('dryRun=All')) return [];
      return [`${event.verb} ${event.objectRef?.resource ?? ''}/${event.objectRef?.name ?? ''}`];
    });
  }

  async kubectl(args: readonly string[], stdin = ''): Promise<string> {
    const run = promisify(execFile)(binary(KUBERNETES, 'kubectl'), ['--kubeconfig', this.#path('kubeconfig'), ...args], {
      timeout: 30_000,
    });
    run.child.stdin?.end(stdin);
    return (await run).stdout;
  }

  async patchStatus(path: string, status: unknown): Promise<void> {
    const answer = await this.#ask('PATCH', `${path}/status`, JSON.stringify({ status }));
    if (answer >= 300) throw new Error(`PATCH ${path}/status answered ${String(answer)}`);
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  #run(folder: string, name: string, args: readonly string[]): ChildProcess {
    const child = spawn(binary(folder, name), args, { stdio: 'ignore', cwd: this.#folder });
    this.#processes.add(child);
    child.once('exit', () => this.#processes.delete(child));
    return child;
  }

  async #end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  async #untilReady(): Promise<void> {
    for (let attempt = 0; attempt < 300; attempt++) {
      if (this.#apiServer === undefined || this.#apiServer.exitCode !== null)
        throw new Error('kube-apiserver ended while starting');
      if ((await this.#ask('GET', '/readyz').catch(() => 0)) === 200) return;
      await sleep(200);
    }
    throw new Error('kube-apiserver did not become ready in a minute');
  }

  async #ask(method: 'GET' | 'PATCH', path: string, body?: string): Promise<number> {
    const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
    try {
      const headers = { authorization: `Bearer ${this.token}`, 'content-type': 'application/merge-patch+json' };
      const answer = await request(`https://127.0.0.1:${String(this.port)}${path}`, {
        method,
        headers,
        dispatcher,
        body: body ?? null,
      });
      await answer.body.dump();
      return answer.statusCode;
    } finally {
      await dispatcher.destroy();
    }
  }

  #kubeconfigFor(token: string): string {
    const cluster = {
      server: `https://127.0.0.1:${String(this.port)}`,
      'certificate-authority-data': Buffer.from(this.ca).toString('base64'),
    };
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster }],
      users: [{ name: 'someone', user: { token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'someone' } }],
      'current-context': 'test',
    });
  }
}

const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - { level: Metadata, verbs: [create, update, patch, delete] }
  - { level: None }
`;

/** Held open together, so that they differ; free again a moment before they are used. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
