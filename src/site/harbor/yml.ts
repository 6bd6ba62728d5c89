import { isMap, parseDocument } from 'yaml';
import { DeliverError } from '../../core/errors.ts';
import type { Secret } from '../../core/secret.ts';
import { SERVER_CERT, SERVER_KEY } from '../registry/paths.ts';
import type { RegistrySettings } from '../registry/settings.ts';

/** Passwords that Harbor reads at its first start only. */
export interface FirstPasswords {
  readonly admin: Secret;
  readonly database: Secret;
}

/**
 * harbor.yml with what the site says; all else, `_version` and changes by hand among it, stays as it is.
 * @param base the template of that very version, or the harbor.yml that is there
 * @param first only with the template: later these live in Harbor’s database
 * @returns the very text of `base` when nothing differs
 * @throws DeliverError E_HOST when it is no harbor.yml
 */
export function harborYml(base: string, settings: RegistrySettings, first?: FirstPasswords): string {
  const document = parseDocument(base);
  if (document.errors.length > 0 || !isMap(document.contents) || !document.has('hostname') || !document.has('_version')) {
    throw new DeliverError('E_HOST', {
      what: `The harbor.yml on ${settings.on} is not one of Harbor’s.`,
      why: document.errors[0]?.message ?? 'It has no hostname or no _version.',
      fix: 'Put the right one back, or remove it: deliver then begins with the template of the release.',
      state: 'Nothing was changed.',
    });
  }
  const wanted: readonly (readonly [readonly string[], string | number])[] = [
    [['hostname'], settings.hostname],
    [['https', 'port'], settings.port],
    [['https', 'certificate'], SERVER_CERT],
    [['https', 'private_key'], SERVER_KEY],
    [['data_volume'], settings.dataVolume],
    ...(first === undefined
      ? []
      : ([
          [['harbor_admin_password'], first.admin.reveal()],
          [['database', 'password'], first.database.reveal()],
        ] as const)),
  ];
  let changed = false;
  for (const [path, value] of wanted) {
    if (document.getIn(path) === value) continue;
    document.setIn(path, value);
    changed = true;
  }
  return changed ? document.toString({ lineWidth: 0 }) : base;
}
