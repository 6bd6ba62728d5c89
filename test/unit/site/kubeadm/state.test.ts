import { describe, expect, it } from 'vitest';
import { refuseSkippedMinor, upgradeStep } from '../../../../src/site/kubeadm/upgrade-path.ts';
import type { NodeFacts } from '../../../../src/site/kubeadm/probe.ts';
import { firstState, joinState } from '../../../../src/site/kubeadm/state.ts';

const BARE: NodeFacts = {
  cgroup: 2,
  fixedConntrack: false,
  interface: 'eth0',
  files: [],
  ready: false,
  manifests: [],
  programs: {},
  kubeletActive: false,
};
const MADE = ['admin.conf', 'kubelet.conf', 'pki/ca.crt', 'manifests/kube-apiserver.yaml', 'etcd'];
const begun = (op: 'init' | 'join'): Partial<NodeFacts> => ({ marker: { op, state: 'begun', kubernetes: 'v1.34.4' } });
const done = (op: 'init' | 'join'): Partial<NodeFacts> => ({ marker: { op, state: 'done', kubernetes: 'v1.34.4' } });
const IN = { node: true, controlPlane: true };
const OUT = { node: false, controlPlane: false };

describe('the first control plane', () => {
  it('is made on a bare host', () => {
    expect(firstState(BARE)).toBe('join');
  });
  it('is gone on with where deliver itself began, whatever lies there', () => {
    expect(firstState({ ...BARE, ...begun('init') })).toBe('go-on');
    expect(firstState({ ...BARE, ...begun('init'), files: MADE, ready: true })).toBe('go-on');
  });
  it('is taken as it is when its API answers, whoever made it', () => {
    expect(firstState({ ...BARE, files: MADE, ready: true })).toBe('member');
  });
  it('stays the cluster’s while its API is only down', () => {
    expect(firstState({ ...BARE, ...done('init'), files: MADE })).toBe('member');
  });
  it('is never made over somebody else’s traces', () => {
    expect(firstState({ ...BARE, files: ['kubelet.conf'] })).toBe('foreign');
    expect(firstState({ ...BARE, files: MADE })).toBe('foreign');
  });
});

describe('a further host', () => {
  it('joins when it is bare, also where an etcd of its own keeps its data', () => {
    expect(joinState(BARE, { controlPlane: false }, OUT)).toBe('join');
    expect(joinState({ ...BARE, files: ['etcd'] }, { controlPlane: true }, OUT)).toBe('join');
  });
  it('is left alone when it belongs to the cluster', () => {
    expect(joinState({ ...BARE, files: ['kubelet.conf'] }, { controlPlane: false }, { node: true, controlPlane: false })).toBe(
      'member',
    );
    expect(joinState({ ...BARE, files: MADE, ...done('join') }, { controlPlane: true }, IN)).toBe('member');
  });
  it('is begun again when a join was not finished, even if the cluster knows it already', () => {
    expect(
      joinState(
        { ...BARE, ...begun('join'), files: ['kubelet.conf'] },
        { controlPlane: false },
        { node: true, controlPlane: false },
      ),
    ).toBe('go-on');
  });
  it('joins again when deliver joined it and the cluster forgot it', () => {
    expect(joinState({ ...BARE, ...done('join'), files: ['kubelet.conf'] }, { controlPlane: false }, OUT)).toBe('again');
  });
  it('is refused when it belongs to another cluster', () => {
    expect(joinState({ ...BARE, files: ['kubelet.conf'] }, { controlPlane: false }, OUT)).toBe('foreign');
  });
  it('is no control plane yet when it joined as a worker', () => {
    expect(
      joinState(
        { ...BARE, ...done('join'), files: ['kubelet.conf'] },
        { controlPlane: true },
        { node: true, controlPlane: false },
      ),
    ).toBe('again');
  });
});

describe('an upgrade', () => {
  it('takes patch versions and the next minor version, and nothing for the same', () => {
    expect(upgradeStep('v1.34.4', 'v1.34.4')).toBe('none');
    expect(upgradeStep('v1.34.1', 'v1.34.4')).toBe('step');
    expect(upgradeStep('v1.33.13', 'v1.34.4')).toBe('step');
  });
  it('refuses to skip a minor version, and names the path', () => {
    expect(() => upgradeStep('v1.33.13', 'v1.36.1')).toThrowWithCode('E_PREFLIGHT');
    try {
      upgradeStep('v1.33.13', 'v1.36.1');
    } catch (error) {
      expect(error).toMatchObject({
        facts: { fix: expect.stringContaining('v1.33.13 → the newest v1.34 → the newest v1.35 → v1.36.1') as string },
      });
    }
  });
  it('refuses to skip a minor version on a control plane that an earlier upgrade did not reach', () => {
    const node = { name: 'cp2', address: '10.0.0.2', controlPlane: true, labels: {}, taints: [] };
    const at = (...manifests: string[]): Parameters<typeof refuseSkippedMinor>[0] => [{ node, facts: { ...BARE, manifests } }];
    refuseSkippedMinor(at('v1.33.13', 'v1.34.4'), 'v1.34.4');
    expect(() => {
      refuseSkippedMinor(at('v1.33.13', 'v1.32.1'), 'v1.34.4');
    }).toThrowWithCode('E_PREFLIGHT', 'cp2 still has Kubernetes v1.32.1');
  });
  it('refuses to go back', () => {
    expect(() => upgradeStep('v1.34.4', 'v1.33.13')).toThrowWithCode('E_PREFLIGHT');
  });
});
