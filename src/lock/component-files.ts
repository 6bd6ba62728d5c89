import { posix } from 'node:path';
import { KUBERNETES_PROGRAMS, type ProgramName } from '../manifest/component-schema.ts';
import type { Release } from '../manifest/release-schema.ts';
import {
  COMPONENT_TEMPLATES,
  type ComponentChecksum,
  type ComponentTemplate,
  type FileComponent,
} from './component-templates.ts';
import { parsePlatform } from './platform.ts';

/** A program of the release for one platform: where it is published, and where its checksum. */
export interface NeededComponent {
  /** `components/kubeadm/linux-amd64` */
  readonly name: string;
  /** File name on arrival: as upstream publishes it, whatever a mirror calls it. */
  readonly title: string;
  readonly source: string;
  readonly checksum?: { readonly url: string; readonly algorithm: 'sha256' | 'md5'; readonly ofMany: boolean };
  readonly component: { readonly name: ProgramName; readonly version: string; readonly platform: string };
  readonly neededBy: string;
}

const GNU_ARCH: Readonly<Record<string, string>> = { amd64: 'x86_64', arm64: 'aarch64' };

/** The files that `kubernetes.components` makes a release carry, one for each program and platform. */
export function neededComponents(release: Release): readonly NeededComponent[] {
  return programsOf(release).flatMap(({ name, version }) =>
    release.platforms.map((platform) => neededComponent(release, name, version, platform)),
  );
}

/** The programs that a release carries as files, versions spelled as their projects do. Empty without `kubernetes.components`. */
export function programsOf({ kubernetes }: Release): readonly { readonly name: FileComponent; readonly version: string }[] {
  const components = kubernetes?.components;
  if (kubernetes === undefined || components === undefined) return [];
  const versions: Readonly<Partial<Record<string, string>>> = {
    ...Object.fromEntries(KUBERNETES_PROGRAMS.map((program) => [program, kubernetes.version])),
    ...components,
  };
  return (Object.keys(COMPONENT_TEMPLATES) as FileComponent[]).flatMap((name) => {
    const version = versions[name];
    return version === undefined ? [] : [{ name, version: spelled(version, COMPONENT_TEMPLATES[name].v) }];
  });
}

/** The upstream addresses that `sources.base` may stand for. */
export function upstreamUrls(): readonly string[] {
  return Object.values(COMPONENT_TEMPLATES).map(({ url }) => (typeof url === 'string' ? url : url('0.0.0')));
}

/** True when a URL lies at or below a base URL. */
export function isBelow(url: string, base: string): boolean {
  const bare = base.replace(/\/+$/, '');
  return url === bare || url.startsWith(`${bare}/`);
}

function neededComponent(release: Release, name: FileComponent, version: string, platform: string): NeededComponent {
  const template = COMPONENT_TEMPLATES[name];
  const fill = filler(template, version, platform);
  const upstream = fill(urlOf(template, version));
  const own = release.sources?.files?.[name];
  const source = own === undefined ? rebased(upstream, release.sources?.base ?? {}) : fill(own);
  return {
    name: `components/${name}/${platform.replaceAll('/', '-')}`,
    title: posix.basename(new URL(upstream).pathname),
    source,
    ...(template.checksum === undefined ? {} : { checksum: checksumAt(template.checksum, source) }),
    component: { name, version, platform },
    neededBy: (KUBERNETES_PROGRAMS as readonly string[]).includes(name) ? 'kubernetes.version' : `kubernetes.components.${name}`,
  };
}

/** Fills {version}, {arch} and {os} as the project spells them. */
function filler({ arch }: ComponentTemplate, version: string, platform: string): (template: string) => string {
  const { os, architecture } = parsePlatform(platform);
  const values: Readonly<Record<string, string>> = {
    version,
    os,
    arch: arch === 'gnu' ? (GNU_ARCH[architecture] ?? architecture) : architecture,
  };
  return (template) => template.replace(/\{(\w+)\}/g, (whole, key: string) => values[key] ?? whole);
}

function urlOf({ url }: ComponentTemplate, version: string): string {
  return typeof url === 'string' ? url : url(version.replace(/^v/, ''));
}

/** The URL with its base replaced: the longest one that fits. */
function rebased(url: string, bases: Readonly<Record<string, string>>): string {
  const [base] = Object.keys(bases)
    .filter((key) => isBelow(url, key))
    .sort((a, b) => b.length - a.length);
  if (base === undefined) return url;
  return (bases[base] ?? '').replace(/\/+$/, '') + url.slice(base.replace(/\/+$/, '').length);
}

function checksumAt(checksum: ComponentChecksum, source: string): { url: string; algorithm: 'sha256' | 'md5'; ofMany: boolean } {
  const url = new URL(source);
  url.pathname =
    'suffix' in checksum ? `${url.pathname}${checksum.suffix}` : posix.join(posix.dirname(url.pathname), checksum.sibling);
  return { url: url.href, algorithm: checksum.algorithm, ofMany: 'sibling' in checksum };
}

function spelled(version: string, v: boolean): string {
  const bare = version.replace(/^v/, '');
  return v ? `v${bare}` : bare;
}
