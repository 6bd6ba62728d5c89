import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addMember, dropMember, initialPeers, type Member } from '../../../../src/site/etcd/ctl.ts';
import type { EtcdMember } from '../../../../src/site/kubeadm/etcd-members.ts';
import type { KubernetesNode } from '../../../../src/site/kubeadm/settings.ts';
import { localHosts, runHere } from '../../../support/local-host.ts';

const signal = new AbortController().signal;
const node = (name: string, number: number): KubernetesNode => ({
  name,
  address: `10.0.0.${String(number)}`,
  controlPlane: false,
  labels: {},
  taints: [],
});
const member = (name: string, number: number): EtcdMember => ({
  id: `a${String(number)}`,
  name,
  peer: `https://10.0.0.${String(number)}:2380`,
  client: `https://10.0.0.${String(number)}:2379`,
  learner: false,
});

describe('a member that is new to etcd', () => {
  it('is told of everybody who is one, also of those that no site file names: etcd compares the two', () => {
    expect(initialPeers(node('e3', 3), [member('e1', 1), member('old', 9), member('', 4)])).toEqual([
      { name: 'e3', peer: 'https://10.0.0.3:2380' },
      { name: 'e1', peer: 'https://10.0.0.1:2380' },
      { name: 'old', peer: 'https://10.0.0.9:2380' },
      { name: 'member-a4', peer: 'https://10.0.0.4:2380' },
    ]);
  });
  it('is named once, whoever had its address or its name before', () => {
    expect(initialPeers(node('e3', 3), [member('e3', 3), member('e3', 7)])).toEqual([
      { name: 'e3', peer: 'https://10.0.0.3:2380' },
      { name: 'member-a7', peer: 'https://10.0.0.7:2380' },
    ]);
  });
});

/** An etcdctl that says what etcd 3.6 says while a member that votes is connected for less than five seconds. */
describe('etcd that says “unhealthy cluster” to a change of its members', () => {
  let folder: string;
  let at: Member;
  const told = (): string[] => readFileSync(join(folder, 'told'), 'utf8').trim().split('\n');

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'deliver-etcdctl-'));
    const connection = await localHosts().connect('e1');
    const env = { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` };
    at = { node: node('e1', 1), connection: { ...connection, run: (command, options) => runHere(command, options, env) } };
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  /** @param list what `member list` says @param works whether the second try is accepted */
  const etcdctl = (list: string, works: boolean): void => {
    writeFileSync(
      join(folder, 'etcdctl'),
      `#!/bin/sh
case "$*" in
  *' member list'*) printf '%s\\n' '${list}'; exit 0 ;;
esac
echo "$*" | sed 's/.*command-timeout=10s //' >>${folder}/told
if ${String(works)} && [ "$(wc -l <${folder}/told)" -gt 1 ]; then exit 0; fi
echo 'Error: etcdserver: unhealthy cluster' >&2; exit 1
`,
    );
    chmodSync(join(folder, 'etcdctl'), 0o755);
  };

  it('is asked again until it agrees to a new one', async () => {
    etcdctl('a1, started, e1, https://10.0.0.1:2380, https://10.0.0.1:2379, false', true);
    await addMember(at, node('e2', 2), signal);
    const add = 'member add e2 --learner --peer-urls=https://10.0.0.2:2380';
    expect(told()).toEqual([add, add]);
  });
  it('is not asked again for one that is in its list: the answer was lost, the change was not', async () => {
    etcdctl('a2, unstarted, , https://10.0.0.2:2380, , true', false);
    await addMember(at, node('e2', 2), signal);
    expect(told()).toHaveLength(1);
  });
  it('is asked again until it lets one go, and not for one that is gone', async () => {
    etcdctl('a2, started, e2, https://10.0.0.2:2380, https://10.0.0.2:2379, false', true);
    await dropMember(at, member('e2', 2), signal);
    expect(told()).toEqual(['member remove a2', 'member remove a2']);
    etcdctl('a1, started, e1, https://10.0.0.1:2380, https://10.0.0.1:2379, false', false);
    await dropMember(at, member('e2', 2), signal);
    expect(told()).toHaveLength(3);
  });
});
