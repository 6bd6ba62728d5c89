import type { Distribution } from './package-entry.ts';

/** os-release(5): shell-like assignments. */
export function parseOsRelease(text: string): Distribution | undefined {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, key, value] = /^([A-Z_]+)=(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) fields.set(key, value.replace(/^(["'])(.*)\1$/, '$2'));
  }
  const [id, version, title] = [fields.get('ID'), fields.get('VERSION_ID'), fields.get('PRETTY_NAME')];
  if (id === undefined || !/^[a-z0-9._-]+$/.test(id)) return undefined;
  return { id, ...(version === undefined ? {} : { version }), ...(title === undefined ? {} : { title }) };
}
