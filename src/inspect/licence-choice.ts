import type { Json } from '../core/canonical-json.ts';

/** SPDX identifiers that distributions use most; any other text is carried as a name, which claims nothing. */
const SPDX = new Set(
  (
    '0BSD AFL-2.1 AGPL-3.0-only AGPL-3.0-or-later Apache-2.0 Artistic-1.0-Perl Artistic-2.0 BSD-2-Clause BSD-3-Clause ' +
    'BSD-4-Clause BSL-1.0 bzip2-1.0.6 CC-BY-4.0 CC0-1.0 curl GFDL-1.3-only GFDL-1.3-or-later GPL-1.0-or-later GPL-2.0-only ' +
    'GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later ICU ISC LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1-only LGPL-2.1-or-later ' +
    'LGPL-3.0-only LGPL-3.0-or-later Libpng MIT MIT-0 MPL-1.1 MPL-2.0 NCSA OFL-1.1 OpenSSL PHP-3.01 PostgreSQL PSF-2.0 ' +
    'Python-2.0 Ruby SSPL-1.0 Unicode-DFS-2016 Unlicense Vim WTFPL X11 Zlib ZPL-2.1'
  ).split(' '),
);

/** The `licenses` of a CycloneDX component: identifiers where they are sure, one expression where it is one, else names. */
export function licenceChoice(licences: readonly string[]): Json | undefined {
  const [only] = licences;
  if (only === undefined) return undefined;
  if (licences.length === 1 && isExpression(only)) return [{ expression: only }];
  return licences.map((licence) => ({ license: SPDX.has(licence) ? { id: licence } : { name: licence } }));
}

function isExpression(text: string): boolean {
  const words = text.replace(/[()]/g, ' ').trim().split(/\s+/);
  const balanced = text.split('(').length === text.split(')').length;
  return words.length > 1 && balanced && words.every((word, at) => (at % 2 === 0 ? SPDX.has(word) : /^(?:AND|OR)$/.test(word)));
}
