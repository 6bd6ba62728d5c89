import type { PackageEntry } from './package-entry.ts';

/** Installed packages of /var/lib/dpkg/status, or the one of a distroless status.d file (deb-control(5), dpkg-query(1)). */
export function parseDpkg(text: string): PackageEntry[] {
  return text.split(/\n[ \t]*\n+/).flatMap((stanza) => {
    const fields = controlFields(stanza);
    const [name, version] = [fields.get('package'), fields.get('version')];
    const status = fields.get('status');
    // status.d has no Status field: what is there is installed.
    const installed = status === undefined || status.split(/\s+/)[2] === 'installed';
    if (name === undefined || version === undefined || !installed) return [];
    const source = fields.get('source')?.replace(/ \(.*$/, '');
    return [
      {
        type: 'deb' as const,
        name,
        version,
        architecture: fields.get('architecture') ?? 'all',
        ...(source === undefined || source === name ? {} : { source }),
        licences: [],
      },
    ];
  });
}

/**
 * Licences of a machine-readable copyright file (copyright-format 1.0); none when it is prose, which no machine should
 * interpret.
 */
export function parseCopyright(text: string): string[] {
  const [head = '', ...rest] = text.split(/\n[ \t]*\n+/);
  const format = controlFields(head).get('format') ?? '';
  if (!/copyright-format|DEP-?5|dep5/i.test(format)) return [];
  const licences = [head, ...rest].flatMap((stanza) => {
    const fields = controlFields(stanza);
    const licence = fields.get('license');
    // A stanza without Files only gives the text of a licence that another one named; the header's is that of all.
    return licence === undefined || licence === '' || !(fields.has('files') || fields.has('format')) ? [] : [licence];
  });
  return [...new Set(licences)].sort();
}

/** First lines of the fields of a stanza, keys in lower case. */
function controlFields(stanza: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of stanza.split('\n')) {
    const [, key, value] = /^([A-Za-z][A-Za-z0-9-]*):[ \t]*(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined && !fields.has(key.toLowerCase())) fields.set(key.toLowerCase(), value);
  }
  return fields;
}
