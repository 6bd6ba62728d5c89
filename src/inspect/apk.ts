import type { PackageEntry } from './package-entry.ts';

/** Packages of /lib/apk/db/installed: one letter, a colon, the value; an empty line between packages. */
export function parseApk(text: string): PackageEntry[] {
  return text.split(/\n\n+/).flatMap((stanza) => {
    const fields = new Map<string, string>();
    for (const line of stanza.split('\n')) {
      if (line[1] === ':' && !fields.has(line.charAt(0))) fields.set(line.charAt(0), line.slice(2).trim());
    }
    const [name, version, licence, origin] = ['P', 'V', 'L', 'o'].map((key) => fields.get(key));
    if (name === undefined || version === undefined || name === '') return [];
    return [
      {
        type: 'apk' as const,
        name,
        version,
        architecture: fields.get('A') ?? '',
        ...(origin === undefined || origin === name ? {} : { source: origin }),
        licences: licence === undefined || licence === '' ? [] : [licence],
      },
    ];
  });
}
