import { afterAll, beforeAll } from 'vitest';
import { createClusterApi } from '../../src/cluster/kube-client.ts';
import type { ClusterApi } from '../../src/cluster/port.ts';
import { describeUnless } from './describe-unless.ts';
import { startKubeApi, whyNoKubernetes, type KubeApiServer } from './kube-api.ts';

const noKubernetes = await whyNoKubernetes();

export interface KubeSuite {
  readonly kube: KubeApiServer;
  /** As deliver talks to it, as its administrator. */
  readonly api: ClusterApi;
}

export interface KubeSuiteOptions {
  /** Runs the controllers of Kubernetes too: a Deployment gets its pods. */
  readonly controllers?: boolean;
  /** What else these tests lack; the API server's own lack is known here. */
  readonly missing?: string | undefined;
  /** Milliseconds of one test; 120 000 when absent. */
  readonly timeout?: number;
}

/** `describe` on a real API server of its own, which `started` gives from the first `beforeAll` on; skipped where none can run. */
export function describeOnKube(name: string, options: KubeSuiteOptions, tests: (started: () => KubeSuite) => void): void {
  const { controllers = false, missing = noKubernetes, timeout = 120_000 } = options;
  describeUnless(missing, name, { timeout }, () => {
    let kube: KubeApiServer | undefined;
    let api: ClusterApi | undefined;

    beforeAll(async () => {
      kube = await startKubeApi();
      if (controllers) await kube.startControllers();
      api = await createClusterApi({ kubeconfig: kube.kubeconfig });
    }, 90_000);

    afterAll(async () => {
      await api?.close();
      await kube?.stop();
    }, 30_000);

    tests(() => {
      if (kube === undefined || api === undefined) throw new Error('The API server is there from beforeAll on.');
      return { kube, api };
    });
  });
}
