import { describe, expect, it } from 'vitest';
import type { Member } from '../../../../src/site/etcd/ctl.ts';
import { leaveEtcd } from '../../../../src/site/etcd/leave.ts';
import type { KubernetesNode } from '../../../../src/site/kubeadm/settings.ts';

const SIGNAL = new AbortController().signal;

/** A host of an etcd whose members don’t answer: what lies on its disk is all that is known. */
function member(name: string, found: readonly string[]): Member {
  const run = (command: string) => {
    const looks = command.includes('echo data');
    return Promise.resolve({ code: looks ? 0 : 1, stdout: looks ? found.join('\n') : '', stderr: '' });
  };
  const node: KubernetesNode = { name, address: `10.0.0.${name.slice(1)}`, controlPlane: false, labels: {}, taints: [] };
  return { node, connection: { host: { name, address: node.address }, run } as unknown as Member['connection'] };
}

describe('a host that is to leave an etcd that does not answer', () => {
  const holder = member('e1', ['ca', 'key', 'data']);

  it('may not take the key of its CA along while another host has the data', async () => {
    await expect(leaveEtcd(holder, [member('e2', []), member('e3', ['ca', 'data'])], SIGNAL)).rejects.toMatchObject({
      code: 'E_PREFLIGHT',
      facts: { what: 'e1 has the key of etcd’s CA, and would take it along.' },
    });
  });
  it('may go as the last one, and without the key', async () => {
    expect(await leaveEtcd(holder, [member('e2', []), member('e3', [])], SIGNAL)).toBe(false);
    expect(await leaveEtcd(member('e2', ['ca', 'data']), [member('e3', ['ca', 'data'])], SIGNAL)).toBe(false);
  });
});
