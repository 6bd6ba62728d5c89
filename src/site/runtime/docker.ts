import type { HostWish } from '../host/wish.ts';
import { DOCKER_FOLDER, DOCKER_UNIT } from './units.ts';
import type { CarriedComponent } from './wish.ts';

/** Docker and compose for the host that Harbor runs on. A Docker of the distribution's packages is used as it is. */
export function dockerWish(docker: CarriedComponent, compose: CarriedComponent | undefined): Partial<HostWish> {
  const cli = (name: string): { path: string; content: string; mode: number; unlessPackaged: string } => ({
    path: `/usr/local/bin/${name}`,
    content: `#!/bin/sh\n# written by deliver; changes are overwritten\nexec ${DOCKER_FOLDER}/${name} "$@"\n`,
    mode: 0o755,
    unlessPackaged: 'docker',
  });
  return {
    components: [
      {
        ...docker,
        layout: { kind: 'archive', into: DOCKER_FOLDER, root: 'docker' },
        packaged: { program: 'dockerd', refuses: (version, { host }) => tooOld(version, host) },
      },
      ...(compose === undefined
        ? []
        : [{ ...compose, layout: { kind: 'program', path: '/usr/local/lib/docker/cli-plugins/docker-compose' } } as const]),
    ],
    files: [{ path: '/etc/systemd/system/docker.service', content: DOCKER_UNIT, unlessPackaged: 'docker' }, cli('docker')],
    units: [
      {
        name: 'docker.service',
        wanted: 'running',
        restartOn: ['docker', '/etc/systemd/system/docker.service'],
      },
    ],
  };
}

/** Harbor's installer asks for 17.06 and compose 1.18; compose as a plugin needs 20.10. */
function tooOld(version: string, host: string): { why: string; fix: string } | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 10)) return undefined;
  return {
    why: `Docker ${version} of the distribution’s package is older than 20.10, which compose needs`,
    fix: `Remove that package on ${host}, and deliver places the release’s Docker.`,
  };
}
