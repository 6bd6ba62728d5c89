import { randomBytes } from 'node:crypto';
import { DeliverError } from '../../core/errors.ts';
import type { Report } from '../../core/report.ts';
import { Secret } from '../../core/secret.ts';
import type { HostConnection, UploadSource } from '../../ssh/port.ts';
import type { BlobPlaces } from '../host/apply.ts';
import { lastLine } from '../host/placed.ts';
import { harborArchive, harborFolder, HARBOR_LOG, installScript, migrateScript, unpackScript } from './scripts.ts';
import { HARBOR_MARK, harborMark, LOCK_SECONDS, markText, readHarbor, sameMark, type HarborState } from './state.ts';
import { harborMove, type HarborMove } from './version.ts';
import { harborYml } from './yml.ts';
import type { RegistrySettings } from '../registry/settings.ts';
import type { CarriedComponent } from '../runtime/wish.ts';

/** Loading a gigabyte of images on a slow disk. */
const INSTALL_TIMEOUT = (LOCK_SECONDS + 1800) * 1000;

export interface HarborPlan {
  readonly state: HarborState;
  readonly move: HarborMove | 'configure' | 'start';
  /** `Harbor v2.14.0`, `Harbor v2.13.1 → v2.14.0` */
  readonly what: string;
}

export interface HarborWork {
  readonly connection: HostConnection;
  readonly settings: RegistrySettings;
  readonly archive: CarriedComponent;
  /** PEM; Harbor’s installer copies it, so a new one asks for a new run. */
  readonly certificate: string;
  readonly signal: AbortSignal;
}

/** What there is to do for Harbor itself. Changes nothing. @throws DeliverError E_PREFLIGHT for an upgrade that Harbor refuses */
export async function planHarbor({ connection, settings, archive, certificate, signal }: HarborWork): Promise<HarborPlan> {
  const state = await readHarbor(connection, signal);
  const { current, yml, mark } = state;
  const move = harborMove(current, archive.version);
  if (move !== 'keep') {
    return {
      state,
      move,
      what: move === 'upgrade' ? `Harbor ${current ?? ''} → ${archive.version}` : `Harbor ${archive.version}`,
    };
  }
  const what = `Harbor ${archive.version}`;
  // An installation that was cut off has no mark: it is made again from the beginning.
  if (yml === undefined || mark === undefined) return { state, move: 'install', what };
  const wanted = harborMark(archive.version, archive.blob.digest, harborYml(yml, settings), certificate);
  if (!sameMark(mark, wanted)) return { state, move: 'configure', what: `${what} (its installer runs again)` };
  return { state, move: state.running ? 'keep' : 'start', what };
}

/** Does what the plan says. @returns what was changed; undefined for nothing @throws DeliverError E_HOST with the end of the log */
export async function applyHarbor(
  work: HarborWork,
  plan: HarborPlan,
  blobs: BlobPlaces,
  report: Report,
): Promise<string | undefined> {
  const { settings, archive, certificate, connection } = work;
  const { state, move } = plan;
  const { version } = archive;
  const { current } = state;
  if (move === 'keep') return undefined;
  if (move === 'start') {
    await script(work, installScript(version, undefined), 'starting Harbor');
  } else {
    if (move !== 'configure') await unpack(work, blobs, report);
    if (move === 'upgrade' && current !== undefined) {
      report.note(`Harbor ${current} is stopped now and does not answer until ${version} runs.`);
      await script(work, migrateScript(current, version, settings.dataVolume), `upgrading Harbor from ${current}`);
    }
    await configure(work);
    report.note(`Harbor’s installer runs on ${settings.on}: minutes, and its log is ${HARBOR_LOG} there.`);
    await script(work, installScript(version, current), 'Harbor’s install.sh');
  }
  const yml = await read(connection, `${harborFolder(version)}/harbor/harbor.yml`);
  await connection.writeFile(HARBOR_MARK, markText(harborMark(version, archive.blob.digest, yml ?? '', certificate)), 0o600);
  return plan.what;
}

async function unpack(work: HarborWork, blobs: BlobPlaces, report: Report): Promise<void> {
  const { connection, archive, signal } = work;
  const { digest, size } = archive.blob;
  const source: UploadSource = { digest, size, open: (from, stop) => blobs.range(digest, from, size - from, stop) };
  let done = 0;
  await connection.upload(harborArchive(archive.version), source, {
    mode: 0o600,
    signal,
    onBytes: (count) => {
      done += count;
      report.progress({ done, total: size, unit: 'bytes', detail: connection.host.name });
    },
  });
  await script(work, unpackScript(archive.version), 'unpacking Harbor’s installer');
}

/** The harbor.yml of this version: the one that is there, else its template with passwords for the first start. */
async function configure({ connection, archive, settings }: HarborWork): Promise<void> {
  const folder = `${harborFolder(archive.version)}/harbor`;
  const kept = await read(connection, `${folder}/harbor.yml`);
  const template = kept === undefined ? await read(connection, `${folder}/harbor.yml.tmpl`) : undefined;
  const passwords = { admin: settings.account.password, database: new Secret(randomBytes(24).toString('base64url')) };
  const wanted = kept === undefined ? harborYml(template ?? '', settings, passwords) : harborYml(kept, settings);
  if (wanted !== kept) await connection.writeFile(`${folder}/harbor.yml`, wanted, 0o600);
}

async function script({ connection, signal }: HarborWork, text: string, what: string): Promise<void> {
  const ran = await connection.run(text, { sudo: true, timeout: INSTALL_TIMEOUT, signal });
  if (ran.code === 0) return;
  const busy = ran.code === 75;
  throw new DeliverError('E_HOST', {
    what: `${what} failed on ${connection.host.name}.`,
    why: busy ? 'Another run of it is still busy there.' : (lastLine(ran.stderr) ?? `it ended with ${String(ran.code)}`),
    details: busy ? [] : ran.stderr.trim().split('\n').slice(0, 16),
    fix: `Look at ${HARBOR_LOG} on ${connection.host.name}, then run the same command again: it goes on from there.`,
    state: 'Harbor’s data is untouched; before an upgrade its database and configuration are kept beside the log.',
  });
}

async function read(connection: HostConnection, path: string): Promise<string | undefined> {
  const bytes = await connection.readFile(path);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
}
