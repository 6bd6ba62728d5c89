import { DeliverError } from '../core/errors.ts';
import type { Site } from '../manifest/site-schema.ts';
import { ETCD_DATA } from '../site/etcd/files.ts';
import { HARBOR_FOLDER } from '../site/registry/paths.ts';
import { registryDataVolume } from '../site/registry/settings.ts';

/** What data goes with a reset; each has to be asked for by itself. */
export interface ResetData {
  readonly etcdData: boolean;
  readonly registryData: boolean;
  /** Images and containers of the runtimes that deliver placed. */
  readonly images: boolean;
  /** Folders of apps: `hostPath` volumes, local storage. */
  readonly appData: readonly string[];
}

/** Folders of a host by the flag that removes them. */
export interface DataFolders {
  readonly flag: string;
  readonly paths: readonly string[];
}

/** Nobody’s data is all that is below these. */
const SYSTEM =
  /^\/(?:bin|boot|dev|etc|lib\w*|proc|root|run|sbin|sys|usr)(?:\/|$)|^\/(?:[^/]+)?$|^\/(?:var|var\/(?:lib|log|cache|spool|tmp)|opt|home|srv|tmp|var\/lib\/deliver)$/;
/** Folders that people give to data: allowed although they are at the top. */
const TOP_DATA =
  /^\/(?!bin$|boot$|dev$|etc$|home$|lib\w*$|media$|mnt$|opt$|proc$|root$|run$|sbin$|srv$|sys$|tmp$|usr$|var$)[^/]+$/;

/** Where data may lie on a host of a site, by what it is there for. */
export function dataFoldersOf({ roles, registry, runtime }: Site, host: string): DataFolders[] {
  const has = (role: keyof NonNullable<Site['roles']>): boolean => (roles?.[role] ?? []).includes(host);
  const install = has('registry') ? registry?.install : undefined;
  const node = has('control-plane') || has('worker');
  return [
    ...(has('control-plane') || has('etcd') ? [{ flag: '--etcd-data', paths: [ETCD_DATA] }] : []),
    ...(install === undefined
      ? []
      : [
          {
            flag: '--registry-data',
            paths: [registryDataVolume(install), ...(install.kind === 'harbor' ? [HARBOR_FOLDER] : [])],
          },
        ]),
    ...(node || install?.kind === 'harbor'
      ? [
          {
            flag: '--images',
            paths: [
              ...(node ? [runtime?.dataFolder ?? '/var/lib/containerd'] : []),
              ...(install?.kind === 'harbor' ? ['/var/lib/docker'] : []),
            ],
          },
        ]
      : []),
  ];
}

/**
 * The folders whose data goes, as the confirmation names them.
 * @throws DeliverError E_USAGE for a flag that means nothing on that host, and for a folder that is no data’s
 */
export function removedData(site: Site, host: string, { etcdData, registryData, images, appData }: ResetData): string[] {
  const known = dataFoldersOf(site, host);
  const asked = [
    ...(etcdData ? ['--etcd-data'] : []),
    ...(registryData ? ['--registry-data'] : []),
    ...(images ? ['--images'] : []),
  ];
  const folders = asked.flatMap((flag) => {
    const found = known.find((one) => one.flag === flag);
    if (found !== undefined) return found.paths;
    throw refused(`${flag} means nothing on ${host}: it has none by its roles in the site file.`);
  });
  for (const folder of appData) {
    const plain = /^(?:\/[\w.@-]+)+$/.test(folder) && !folder.split('/').some((part) => part === '.' || part === '..');
    if (!plain || (SYSTEM.test(folder) && !TOP_DATA.test(folder)))
      throw refused(
        `--app-data ${folder} is no folder of data: write an absolute path such as /data0 or /srv/app, without “..”.`,
      );
  }
  return [...new Set([...folders, ...appData])];
}

function refused(what: string): DeliverError {
  return new DeliverError('E_USAGE', { what, state: 'Nothing was changed.' });
}
