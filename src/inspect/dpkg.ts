import type { PackageEntry } from './package-entry.ts';
import { ownText } from './stanzas.ts';

const STATUS_FIELDS = /^(Package|Version|Status|Architecture|Source):[ \t]*(.*)$/gim;
const COPYRIGHT_FIELDS = /^(Format|Files|License):[ \t]*(.*)$/gim;
const FORMAT = /copyright-format|DEP-?5/i;

/**
 * The package of one paragraph of /var/lib/dpkg/status, or of a distroless status.d file (deb-control(5), dpkg-query(1));
 * undefined when it is not installed.
 */
export function parseDpkg(stanza: string): PackageEntry | undefined {
  const fields = fieldsOf(stanza, STATUS_FIELDS);
  const [name, version] = [fields.get('package'), fields.get('version')];
  const status = fields.get('status');
  // status.d has no Status field: what is there is installed.
  const installed = status === undefined || status.split(/\s+/)[2] === 'installed';
  if (name === undefined || version === undefined || name === '' || !installed) return undefined;
  const source = fields.get('source')?.replace(/ \(.*$/, '');
  return {
    type: 'deb' as const,
    name,
    version,
    architecture: fields.get('architecture') ?? 'all',
    ...(source === undefined || source === name ? {} : { source }),
    licences: [],
  };
}

/**
 * Licences of a machine-readable copyright file (copyright-format 1.0); none when it is prose, which no machine should
 * interpret.
 */
export function parseCopyright(bytes: Uint8Array): string[] {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Most are prose: looked at, not decoded whole.
  if (!FORMAT.test(whole.toString('latin1', 0, 4096))) return [];
  const [head = '', ...rest] = whole.toString('utf8').split(/\n[ \t]*\n+/);
  if (!FORMAT.test(fieldsOf(head, COPYRIGHT_FIELDS).get('format') ?? '')) return [];
  const licences = [head, ...rest].flatMap((stanza) => {
    const fields = fieldsOf(stanza, COPYRIGHT_FIELDS);
    const licence = fields.get('license');
    // A stanza without Files only gives the text of a licence that another one named; the header's is that of all.
    return licence === undefined || licence === '' || !(fields.has('files') || fields.has('format')) ? [] : [licence];
  });
  return [...new Set(licences)].sort();
}

/** First lines of these fields of a stanza, keys in lower case. */
function fieldsOf(stanza: string, pattern: RegExp): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const [, key = '', value = ''] of stanza.matchAll(pattern)) {
    const name = key.toLowerCase();
    if (!fields.has(name)) fields.set(name, ownText(value.trimEnd()));
  }
  return fields;
}
