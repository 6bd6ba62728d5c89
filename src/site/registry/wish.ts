import { randomBytes } from 'node:crypto';
import { Secret } from '../../core/secret.ts';
import { emptyWish, type HostWish, type WishedFile } from '../host/wish.ts';
import { accountsFile } from './accounts.ts';
import { givenCertificates, siteCertificates, type RegistryCertificates } from './certificate.ts';
import { registryConfig, registryUnit, secretOf } from './config.ts';
import type { KeptRegistry } from './kept.ts';
import { ACCOUNTS, CA_CERT, CA_KEY, REGISTRY_CONFIG, REGISTRY_UNIT, SERVER_CERT, SERVER_KEY, UNIT_FOLDER } from './paths.ts';
import type { RegistrySettings } from './settings.ts';
import { componentWish, type CarriedComponent } from '../runtime/wish.ts';

/** Its component. */
export const REGISTRY_PROGRAM = 'registry';

/** The certificates that a registry should have, given those that it has. @throws DeliverError E_SCHEMA */
export function registryCertificates(settings: RegistrySettings, kept: KeptRegistry, now: Date): Promise<RegistryCertificates> {
  const { given, givenCa, hostname, names, site } = settings;
  return given === undefined
    ? siteCertificates(kept, names, site, now)
    : Promise.resolve(givenCertificates(given, givenCa, hostname, now));
}

/** Their files: keys for root alone. */
export function certificateFiles({ ca, caKey, certificate, key }: RegistryCertificates): WishedFile[] {
  return [
    // The key first: a certificate without its key would have to be made anew.
    ...(caKey === undefined ? [] : [{ path: CA_KEY, content: caKey.reveal(), mode: 0o600 }]),
    ...(ca === undefined ? [] : [{ path: CA_CERT, content: ca }]),
    { path: SERVER_KEY, content: key.reveal(), mode: 0o600 },
    { path: SERVER_CERT, content: certificate },
  ];
}

/**
 * Everything that makes a host the site’s registry, run by the CNCF distribution program.
 * @param program undefined in a release of apps alone: the one that is there stays
 * @throws DeliverError E_SCHEMA
 */
export async function distributionWish(
  settings: RegistrySettings,
  program: CarriedComponent | undefined,
  certificates: RegistryCertificates,
  kept: KeptRegistry,
): Promise<HostWish> {
  const { account, pull, on } = settings;
  const accounts = await accountsFile([account, ...(pull === undefined ? [] : [pull])], kept.accounts);
  const secret = new Secret(secretOf(kept.config) ?? randomBytes(32).toString('hex'));
  const placed = program === undefined ? undefined : componentWish(program);
  const unit = `${UNIT_FOLDER}/${REGISTRY_UNIT}`;
  return {
    ...emptyWish(on),
    components: placed === undefined ? [] : [placed],
    files: [
      ...certificateFiles(certificates),
      { path: ACCOUNTS, content: accounts.reveal(), mode: 0o600 },
      { path: REGISTRY_CONFIG, content: registryConfig(settings, secret.reveal()), mode: 0o600 },
      { path: unit, content: registryUnit(settings) },
    ],
    units: [
      {
        name: REGISTRY_UNIT,
        wanted: 'running',
        restartOn: [REGISTRY_PROGRAM, SERVER_CERT, SERVER_KEY, ACCOUNTS, REGISTRY_CONFIG, unit],
      },
    ],
  };
}
