import type { PackageEntry } from './package-entry.ts';
import { ownText } from './stanzas.ts';

/** The package of one paragraph of /lib/apk/db/installed: one letter, a colon, the value on each line. */
export function parseApk(stanza: string): PackageEntry | undefined {
  const fields = new Map<string, string>();
  for (const [, key = '', value = ''] of stanza.matchAll(/^([PVALo]):(.*)$/gm)) {
    if (!fields.has(key)) fields.set(key, ownText(value.trim()));
  }
  const [name, version, licence, origin] = ['P', 'V', 'L', 'o'].map((key) => fields.get(key));
  if (name === undefined || version === undefined || name === '') return undefined;
  return {
    type: 'apk' as const,
    name,
    version,
    architecture: fields.get('A') ?? '',
    ...(origin === undefined || origin === name ? {} : { source: origin }),
    licences: licence === undefined || licence === '' ? [] : [licence],
  };
}
