import { shellQuote } from '../../ssh/shell-quote.ts';
import { HARBOR_MARK, LOCK_SECONDS } from './state.ts';
import { harborTag } from './version.ts';
import { HARBOR_CURRENT, HARBOR_FOLDER, HARBOR_UNIT } from '../registry/paths.ts';

export const HARBOR_LOG = `${HARBOR_FOLDER}/install.log`;

/** One installer at a time. It writes to a file and not to us, so that it goes on to its end when deliver is killed. */
const BEGIN = `
set -eu
# Harbor’s scripts colour their output, and end without a terminal’s name.
LC_ALL=C; TERM=xterm; PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export LC_ALL TERM PATH
umask 022
mkdir -p ${HARBOR_FOLDER}; chmod 700 ${HARBOR_FOLDER}; cd ${HARBOR_FOLDER}
exec 9>${HARBOR_FOLDER}/lock; flock -w ${String(LOCK_SECONDS)} 9 || exit 75
logged() { "$@" >>${HARBOR_LOG} 2>&1 </dev/null 9>&- || { c=$?; echo "$1: ended with $c" >&2; tail -n 15 ${HARBOR_LOG} >&2; exit $c; }; }
`;

export function harborFolder(version: string): string {
  return `${HARBOR_FOLDER}/${harborTag(version)}`;
}

export function harborArchive(version: string): string {
  return `${harborFolder(version)}.tgz`;
}

/** Unpacks the installer of a version beside the others; a harbor.yml of an earlier attempt stays. */
export function unpackScript(version: string): string {
  const folder = shellQuote(harborFolder(version));
  return `${BEGIN}
: >${HARBOR_LOG}
rm -rf ${folder}.part; mkdir -p ${folder}.part
logged tar -xzof ${shellQuote(harborArchive(version))} -C ${folder}.part
for f in install.sh prepare common.sh harbor.yml.tmpl; do
  [ -f ${folder}.part/harbor/$f ] || { echo "the archive has no harbor/$f" >&2; exit 1; }
done
[ ! -f ${folder}/harbor/harbor.yml ] || cp -p ${folder}/harbor/harbor.yml ${folder}.part/harbor/
rm -rf ${folder}; mv ${folder}.part ${folder}; rm -f ${shellQuote(harborArchive(version))}
`;
}

/**
 * Stops the version that runs, keeps its configuration and database, and brings its harbor.yml to the new version.
 * @param dataVolume where its database is
 */
export function migrateScript(from: string, to: string, dataVolume: string): string {
  const [old, next] = [harborFolder(from), harborFolder(to)];
  const backup = shellQuote(`${HARBOR_FOLDER}/backup-${harborTag(from)}.tar`);
  return `${BEGIN}
rm -f ${HARBOR_MARK}
systemctl stop ${HARBOR_UNIT} 2>/dev/null || :
(cd ${shellQuote(`${old}/harbor`)} && logged docker compose down)
# Made once: a second attempt may find a database that was migrated already.
if [ ! -e ${backup} ]; then
  umask 077
  logged tar -cpf ${backup}.part -C / ${['harbor.yml', 'docker-compose.yml', 'common']
    .map((name) => shellQuote(`${old}/harbor/${name}`.slice(1)))
    .join(
      ' ',
    )} $(cd / && for d in ${['database', 'secret', 'redis'].map((name) => shellQuote(`${dataVolume}/${name}`.slice(1))).join(' ')}; do [ ! -e "$d" ] || echo "$d"; done)
  mv ${backup}.part ${backup}; sync; umask 022
fi
cp -p ${shellQuote(`${old}/harbor/harbor.yml`)} ${shellQuote(`${next}/harbor/harbor.yml`)}
for f in ${shellQuote(`${next}/harbor`)}/harbor*.tar.gz; do [ ! -f "$f" ] || logged docker load -i "$f"; done
logged docker run --rm -v /:/hostfs goharbor/prepare:${harborTag(to)} migrate -i ${shellQuote(`${next}/harbor/harbor.yml`)}
`;
}

/** Runs Harbor’s own installer, which loads the images, renders the configuration and starts the containers. */
export function installScript(version: string, from: string | undefined): string {
  const folder = harborFolder(version);
  const others = from === undefined || harborTag(from) === harborTag(version) ? [] : [`rm -rf ${shellQuote(harborFolder(from))}`];
  return [
    BEGIN,
    `rm -f ${HARBOR_MARK}`,
    `cd ${shellQuote(`${folder}/harbor`)}`,
    'chmod 600 harbor.yml',
    'logged ./install.sh',
    `ln -sfn ${harborTag(version)} ${HARBOR_CURRENT}`,
    // Its own restart policy forgets containers whose log service came up too late.
    `logged systemctl start ${HARBOR_UNIT}`,
    'rm -f harbor*.tar.gz',
    ...others,
  ].join('\n');
}

export const HARBOR_UNIT_TEXT = `# Written by deliver: changes are overwritten by the next install.
[Unit]
Description=Harbor
After=docker.service network-online.target
Requires=docker.service
Wants=network-online.target
ConditionPathExists=${HARBOR_CURRENT}/harbor/docker-compose.yml

[Service]
Type=oneshot
RemainAfterExit=yes
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
WorkingDirectory=-${HARBOR_CURRENT}/harbor
ExecStart=/usr/bin/env docker compose up -d
ExecStop=/usr/bin/env docker compose stop
TimeoutStartSec=600

[Install]
WantedBy=multi-user.target
`;
