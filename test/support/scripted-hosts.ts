import { RUN_INPUT } from '../../src/site/host/shell.ts';
import type { HostConnection, HostConnector, RunResult } from '../../src/ssh/port.ts';

/** What a host of a cluster says when it is asked, for plans of clusters that no test can have. */
export interface ScriptedHost {
  /** Lines of the look at the host; a bare one when absent. */
  readonly look?: readonly string[];
  /** Lines of the look at Kubernetes: `ready=ok`, `marker={…}`. */
  readonly kubernetes?: readonly string[];
  /** What the cluster answers to the control plane’s kubectl. */
  readonly cluster?: { readonly version: string; readonly nodes: readonly object[] };
  /** The members of etcd by address, and which of them answer; asked of this one. It has its data. */
  readonly etcd?: { readonly members: Readonly<Record<string, string>>; readonly answering: readonly string[] };
}

const NOTHING: RunResult = { code: 0, stdout: '', stderr: '' };

/** Hosts that answer the read-only looks of a plan, and throw at anything else. */
export function scriptedHosts(hosts: Readonly<Record<string, ScriptedHost>> = {}): HostConnector {
  const refuse = (): Promise<never> => Promise.reject(new Error('a plan changes nothing'));
  const connect = (name: string): Promise<HostConnection> =>
    Promise.resolve({
      host: { name, address: '10.89.3.1' },
      run: (command, options) => answer(hosts[name] ?? {}, command, String(options?.stdin ?? '')),
      readFile: () => Promise.resolve(undefined),
      writeFile: refuse,
      upload: refuse,
      dial: refuse,
      listen: refuse,
    });
  return { connect, close: () => Promise.resolve() };
}

/** A node of a cluster as its API lists it. */
export function clusterNode(
  name: string,
  version: string,
  controlPlane = false,
  labels: Readonly<Record<string, string>> = {},
): object {
  const role = controlPlane ? { 'node-role.kubernetes.io/control-plane': '' } : {};
  const taints = controlPlane ? [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] : [];
  return {
    metadata: { name, labels: { ...role, ...labels } },
    spec: { taints },
    status: { nodeInfo: { kubeletVersion: version }, conditions: [{ type: 'Ready', status: 'True' }] },
  };
}

function answer({ look = [], kubernetes = [], cluster, etcd }: ScriptedHost, command: string, stdin: string): Promise<RunResult> {
  const say = (lines: readonly string[]): Promise<RunResult> => Promise.resolve({ ...NOTHING, stdout: `${lines.join('\n')}\n` });
  if (command === RUN_INPUT && stdin.includes('say looked yes'))
    return say(['system=Linux', 'machine=x86_64', 'cgroup=cgroup2fs', 'swap=1', 'fstab=1', ...look, 'looked=yes']);
  if (command.includes('say ended yes')) return say(['cgroup=2', ...kubernetes, 'ended=yes']);
  if (command.includes('kubeadm-config')) return say([cluster?.version ?? '']);
  if (command.includes('get nodes -o json')) return say([JSON.stringify({ items: cluster?.nodes ?? [] })]);
  if (command.includes('echo data')) return say(etcd === undefined ? [] : ['data']);
  if (command.includes('etcdctl'))
    return etcd === undefined ? Promise.resolve({ ...NOTHING, code: 1 }) : say([etcdText(command, etcd)]);
  // The look at mirror files: none is there.
  if (command.includes('whose=ours')) return say(Array.from({ length: 20 }, () => '-'));
  return Promise.reject(new Error(`a plan asks nothing like this: ${command.slice(0, 200)}`));
}

function etcdText(command: string, { members, answering }: NonNullable<ScriptedHost['etcd']>): string {
  const client = (address: string): string => `https://${address}:2379`;
  const found = Object.entries(members);
  if (command.includes('--cluster'))
    return JSON.stringify(found.map(([name, at]) => ({ endpoint: client(at), health: answering.includes(name) })));
  if (!command.includes('member list')) return '';
  const list = found.map(([name, at], index) => ({
    ID: index + 1,
    name,
    peerURLs: [`https://${at}:2380`],
    clientURLs: [client(at)],
  }));
  return JSON.stringify({ members: list });
}
