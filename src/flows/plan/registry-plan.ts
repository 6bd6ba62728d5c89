import type { Bundle } from '../../bundle/bundle.ts';
import { DeliverError } from '../../core/errors.ts';
import { Secret } from '../../core/secret.ts';
import { readText } from '../../manifest/read-text.ts';
import { secretNameOf } from '../../manifest/secrets.ts';
import { sitePath } from '../../manifest/site-path.ts';
import { planHarbor, type HarborPlan, type HarborWork } from '../../site/harbor/install.ts';
import { HARBOR_UNIT_TEXT } from '../../site/harbor/scripts.ts';
import { planHosts, type HostLook } from '../../site/host/apply.ts';
import type { HostItem } from '../../site/host/item.ts';
import { emptyWish, joinWishes, type HostWish } from '../../site/host/wish.ts';
import type { RegistryCertificates } from '../../site/registry/certificate.ts';
import { readKept } from '../../site/registry/kept.ts';
import { HARBOR_UNIT, UNIT_FOLDER } from '../../site/registry/paths.ts';
import { registrySettings, type RegistrySettings } from '../../site/registry/settings.ts';
import { certificateFiles, distributionWish, REGISTRY_PROGRAM, registryCertificates } from '../../site/registry/wish.ts';
import { carriedComponents } from '../../site/runtime/carried.ts';
import { dockerWish } from '../../site/runtime/docker.ts';
import type { CarriedComponent } from '../../site/runtime/wish.ts';
import type { SitePorts } from '../site-ports.ts';

/** What installing the site’s registry takes. */
export interface RegistryPlan {
  readonly settings: RegistrySettings;
  readonly certificates: RegistryCertificates;
  readonly look: HostLook;
  readonly items: readonly HostItem[];
  readonly harbor?: { readonly plan: HarborPlan; readonly work: HarborWork };
}

/** The settings of the registry to install; undefined when the site has one. @throws DeliverError E_SCHEMA, E_SECRET_MISSING, E_FILE_NOT_FOUND */
export async function settingsOf({
  loaded,
  secrets,
  ca,
}: Pick<SitePorts, 'loaded' | 'secrets' | 'ca'>): Promise<RegistrySettings | undefined> {
  const { site, folder } = loaded;
  const { certificate, key } = site.registry?.install ?? {};
  const pair =
    certificate === undefined || key === undefined
      ? undefined
      : {
          certificate: await readText(sitePath(folder, certificate), 'The registry’s certificate'),
          key: new Secret(await readText(sitePath(folder, key), 'The key of the registry’s certificate')),
        };
  return registrySettings(site, (variable) => secrets.get(secretNameOf(variable)), {
    ...(pair === undefined ? {} : { pair }),
    ...(ca === undefined ? {} : { ca }),
  });
}

/**
 * Compares the registry host with what the site file asks for. Changes nothing.
 * @returns undefined when no registry is to be installed, or a Harbor is there and the release brings none
 * @throws DeliverError E_PREFLIGHT when the release lacks a program or an upgrade is too large; E_SCHEMA, E_SSH*, E_HOST
 */
export async function planRegistry(
  { lock }: Pick<Bundle, 'lock'>,
  ports: SitePorts,
  signal: AbortSignal,
  now: Date = new Date(),
): Promise<RegistryPlan | undefined> {
  const settings = await settingsOf(ports);
  if (settings === undefined) return undefined;
  const connection = await ports.hosts.connect(settings.on, signal);
  const kept = await readKept(connection);
  const carried = carriedComponents(lock);
  const name = settings.kind === 'harbor' ? 'harbor' : REGISTRY_PROGRAM;
  const program = carried.find((component) => component.name === name);
  // A release of apps alone uses the registry that an earlier one brought; what is Harbor’s is changed by Harbor’s installer only.
  const isThere = kept.certificate !== undefined;
  if (isThere && program === undefined && settings.kind === 'harbor') return undefined;
  const certificates = await registryCertificates(settings, kept, now);
  if (!isThere || program !== undefined) refuseMissing(carried, NEEDED[settings.kind]);
  const wish =
    settings.kind === 'harbor'
      ? harborWish(settings, carried, certificates)
      : await distributionWish(settings, program, certificates, kept);
  const [look] = await planHosts(ports.hosts, [wish], signal);
  if (look === undefined) throw new DeliverError('E_BUG', { what: 'The registry host was not looked at.' });
  const harbor =
    settings.kind === 'harbor'
      ? await harborPlan({ connection, settings, archive: needed(carried, name), certificate: certificates.certificate, signal })
      : undefined;
  const items: HostItem[] = [
    ...(certificates.change === undefined ? [] : [{ kind: 'certificate' as const, what: certificates.change, done: false }]),
    ...('plan' in look ? look.plan.items : []),
    ...(harbor === undefined ? [] : [harborItem(harbor.plan, harbor.work.archive)]),
  ];
  return { settings, certificates, look, items, ...(harbor === undefined ? {} : { harbor }) };
}

async function harborPlan(work: HarborWork): Promise<NonNullable<RegistryPlan['harbor']>> {
  return { work, plan: await planHarbor(work) };
}

/** Its archive is sent for a new version only. */
function harborItem({ what, move }: HarborPlan, { blob }: CarriedComponent): HostItem {
  const isSent = move === 'install' || move === 'upgrade';
  return { kind: 'program', what, ...(isSent ? { bytes: blob.size } : {}), done: move === 'keep' };
}

/** Docker, certificates and the unit that starts Harbor with the host; Harbor’s own installer does the rest. */
function harborWish(
  settings: RegistrySettings,
  carried: readonly CarriedComponent[],
  certificates: RegistryCertificates,
): HostWish {
  const compose = needed(carried, 'docker-compose');
  return joinWishes(emptyWish(settings.on), dockerWish(needed(carried, 'docker'), compose), {
    files: [...certificateFiles(certificates), { path: `${UNIT_FOLDER}/${HARBOR_UNIT}`, content: HARBOR_UNIT_TEXT }],
    units: [{ name: HARBOR_UNIT, wanted: 'enabled', restartOn: [] }],
  });
}

const NEEDED: Readonly<Record<RegistrySettings['kind'], readonly string[]>> = {
  harbor: ['harbor', 'docker', 'docker-compose'],
  distribution: ['registry'],
};

/** Names all that the release lacks at once: each costs a way back to the connected side. */
function refuseMissing(carried: readonly CarriedComponent[], names: readonly string[]): void {
  const missing = names.filter((name) => !carried.some((component) => component.name === name));
  if (missing.length === 0) return;
  throw new DeliverError('E_PREFLIGHT', {
    what: `The site file asks for a registry to be installed, and the release doesn’t carry ${missing.join(', ')}.`,
    fix: `On the connected side add ${missing.map((name) => `${name}: <version>`).join(', ')} to kubernetes.components of the release, resolve and pack again; or take registry.install out of the site file.`,
    state: 'Nothing was changed.',
  });
}

function needed(carried: readonly CarriedComponent[], name: string): CarriedComponent {
  const found = carried.find((component) => component.name === name);
  if (found !== undefined) return found;
  throw new DeliverError('E_BUG', { what: `The release doesn’t carry ${name}, and that was not seen.` });
}
