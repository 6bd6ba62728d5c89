import { describe, expect, it } from 'vitest';
import { leavingOrder, parseHealth, refuseQuorumLoss, type EtcdMember } from '../../../../src/site/kubeadm/etcd-members.ts';

const member = (number: number, more: Partial<EtcdMember> = {}): EtcdMember => ({
  id: String(number),
  name: `cp${String(number)}`,
  peer: `https://10.0.0.${String(number)}:2380`,
  client: `https://10.0.0.${String(number)}:2379`,
  learner: false,
  ...more,
});
const three = [member(1), member(2), member(3)];
const answering = (...numbers: number[]): Set<string> => new Set(numbers.map((number) => member(number).client));

describe('a member of etcd', () => {
  it('may go while a majority of those that are left answers', () => {
    refuseQuorumLoss(member(3), three, answering(1, 2, 3));
    refuseQuorumLoss(member(2), [member(1), member(2)], answering(1, 2));
    refuseQuorumLoss(
      member(5),
      [1, 2, 3, 4, 5].map((number) => member(number)),
      answering(1, 2, 3),
    );
  });
  it('may go when it is the one that does not answer', () => {
    refuseQuorumLoss(member(3), three, answering(1, 2));
  });
  it('may not go when too few of the others answer, and the numbers are said', () => {
    expect(() => {
      refuseQuorumLoss(member(3), three, answering(1, 3));
    }).toThrowWithCode('E_PREFLIGHT', 'etcd can’t do without cp3.');
    try {
      refuseQuorumLoss(member(3), three, answering(1, 3));
    } catch (error) {
      expect(error).toMatchObject({
        facts: {
          why: 'It has 3 members, and 2 of them answer. Without cp3 2 would be left; 2 of those must answer, and 1 would.',
          fix: 'Bring cp2 back first; then run the same command again.',
        },
      });
    }
  });
  it('may not go when it is the last one', () => {
    expect(() => {
      refuseQuorumLoss(member(1), [member(1)], answering(1));
    }).toThrowWithCode('E_PREFLIGHT');
  });
  it('counts only when it has a vote', () => {
    const learner = member(2, { learner: true });
    refuseQuorumLoss(learner, [member(1), learner], answering(1));
    expect(() => {
      refuseQuorumLoss(member(1), [member(1), learner], answering(1, 2));
    }).toThrowWithCode('E_PREFLIGHT');
  });
});

describe('members that leave together', () => {
  it('go one after the other, those first that do not answer', () => {
    const order = leavingOrder([member(2), member(3)], three, answering(1, 2));
    expect(order.map(({ name }) => name)).toEqual(['cp3', 'cp2']);
  });
  it('are all refused before the first one goes, when the last one can’t', () => {
    expect(() => leavingOrder([member(2), member(3)], [...three, member(4)], answering(1, 2, 3))).toThrowWithCode(
      'E_PREFLIGHT',
      'etcd can’t do without cp3.',
    );
  });
});

describe('the health of etcd', () => {
  it('is read from what etcdctl says, also when one does not answer', () => {
    const text =
      '{"level":"warn"}\n[{"endpoint":"https://10.0.0.1:2379","health":true,"took":"3ms"},{"endpoint":"https://10.0.0.2:2379","health":false,"took":"3s","error":"context deadline exceeded"}]\n';
    expect([...parseHealth(text)]).toEqual(['https://10.0.0.1:2379']);
  });
  it('is nobody’s when etcdctl could not ask', () => {
    expect(parseHealth('Error: no such container').size).toBe(0);
  });
});
