import { z } from 'zod';

/** A package as somebody else's bill of materials names it. */
export interface AttestedPackage {
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
  readonly licences: readonly string[];
}

export interface AttestedBom {
  readonly format: 'CycloneDX' | 'SPDX';
  /** Each once, by name. */
  readonly packages: readonly AttestedPackage[];
}

const MOST_PACKAGES = 50_000;
const MOST_DEPTH = 16;
/** Characters of a name, version, package URL or licence. */
const MOST_TEXT = 1000;
/** What SPDX says where it knows nothing. */
const NOTHING = new Set(['NOASSERTION', 'NONE', '']);

const Text = z.string().transform((text) => text.slice(0, MOST_TEXT).toWellFormed());
const Optional = Text.optional().catch(undefined);
const CycloneLicence = z.object({
  license: z.object({ id: Optional, name: Optional }).optional().catch(undefined),
  expression: Optional,
});
const CycloneComponent = z.object({
  type: z.string().catch('library'),
  name: Text,
  group: Optional,
  version: Optional,
  purl: Optional,
  licenses: z.array(CycloneLicence).catch([]),
  components: z.array(z.unknown()).catch([]),
});
const Cyclone = z.object({ bomFormat: z.literal('CycloneDX'), components: z.array(z.unknown()).catch([]) });
const SpdxPackage = z.object({
  name: Text,
  versionInfo: Optional,
  licenseConcluded: Optional,
  licenseDeclared: Optional,
  externalRefs: z.array(z.object({ referenceType: z.string(), referenceLocator: Text })).catch([]),
});
const Spdx = z.object({ spdxVersion: z.string().startsWith('SPDX-2.'), packages: z.array(z.unknown()).catch([]) });

/** The packages of a CycloneDX or SPDX 2 document (JSON); undefined when it is neither. */
export function packagesOfBom(document: unknown): AttestedBom | { readonly problem: string } | undefined {
  const cyclone = Cyclone.safeParse(document).data;
  if (cyclone !== undefined) return listed('CycloneDX', [...ofCyclone(cyclone.components, 0)]);
  const spdx = Spdx.safeParse(document).data;
  if (spdx !== undefined) return listed('SPDX', spdx.packages.slice(0, MOST_PACKAGES + 1).flatMap(ofSpdx));
  const context = z.object({ '@context': z.unknown() }).safeParse(document).data?.['@context'];
  return JSON.stringify(context ?? '').includes('spdx.org/rdf/3')
    ? { problem: 'it is SPDX 3, of which nothing is read' }
    : undefined;
}

function listed(format: AttestedBom['format'], all: readonly AttestedPackage[]): AttestedBom | { readonly problem: string } {
  if (all.length > MOST_PACKAGES) return { problem: `it names more than ${String(MOST_PACKAGES)} packages` };
  const unique = new Map(all.map((one) => [one.purl ?? `${one.name}\0${one.version ?? ''}`, one]));
  return { format, packages: [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one) };
}

/** Components of components too; files and what stands for the image itself are no packages. */
function* ofCyclone(components: readonly unknown[], depth: number): Generator<AttestedPackage> {
  if (depth > MOST_DEPTH) return;
  for (const each of components.slice(0, MOST_PACKAGES + 1)) {
    const component = CycloneComponent.safeParse(each).data;
    if (component === undefined) continue;
    const { type, name, group, version, licenses } = component;
    const purl = purlOf(component.purl);
    const licences = licenses.flatMap(({ license, expression }) => expression ?? license?.id ?? license?.name ?? []);
    if (['library', 'framework', 'application'].includes(type) && name !== '') {
      const full = group === undefined || group === '' ? name : `${group}/${name}`;
      yield { name: full, ...known('version', version), ...known('purl', purl), licences };
    }
    yield* ofCyclone(component.components, depth + 1);
  }
}

function ofSpdx(each: unknown): AttestedPackage[] {
  const found = SpdxPackage.safeParse(each).data;
  if (found === undefined || found.name === '') return [];
  const { name, versionInfo, licenseConcluded, licenseDeclared, externalRefs } = found;
  const purl = purlOf(externalRefs.find(({ referenceType }) => referenceType === 'purl')?.referenceLocator);
  // What a scanner is sure of has a package URL; the document's own root and its files have none, or that of the image.
  if (purl === undefined || purl.startsWith('pkg:oci/') || purl.startsWith('pkg:docker/')) return [];
  const licence = [licenseConcluded, licenseDeclared].find((text) => text !== undefined && !NOTHING.has(text));
  return [{ name, ...known('version', versionInfo), purl, licences: licence === undefined ? [] : [licence] }];
}

function purlOf(text: string | undefined): string | undefined {
  return text !== undefined && /^pkg:[a-z0-9.+-]+\/[\x21-\x7e]+$/i.test(text) ? text : undefined;
}

function known<Key extends string>(key: Key, value: string | undefined): Partial<Record<Key, string>> {
  return value === undefined || value === '' ? {} : ({ [key]: value } as Record<Key, string>);
}
