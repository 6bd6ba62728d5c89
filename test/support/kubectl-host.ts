import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { kubectlPath, type KubeApiServer } from './kube-api.ts';
import { localHosts, type LocalHosts } from './local-host.ts';

/** This machine as a control plane: the `kubectl --kubeconfig /etc/kubernetes/admin.conf` of deliver’s scripts asks the API server of the test. */
export async function controlPlaneHost(kube: KubeApiServer): Promise<LocalHosts & { stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'deliver-control-'));
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, kube.kubeconfig);
  const script = `#!/bin/sh\n[ "$1 $2" = "--kubeconfig /etc/kubernetes/admin.conf" ] || exit 64\nshift 2\nexec ${kubectlPath()} --kubeconfig ${kubeconfig} "$@"\n`;
  await writeFile(join(folder, 'kubectl'), script);
  await chmod(join(folder, 'kubectl'), 0o755);
  vi.stubEnv('PATH', `${folder}:${process.env.PATH ?? ''}`);
  return {
    ...localHosts(),
    stop: async () => {
      vi.unstubAllEnvs();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
