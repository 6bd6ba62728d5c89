import { isAbsolute, join, relative, resolve } from 'node:path';
import { Document, isMap, isSeq } from 'yaml';
import type { Secret } from '../../core/secret.ts';
import type { Release } from '../release-schema.ts';
import type { Site } from '../site-schema.ts';

/** Where a file is written, and what that means for what it names. */
export interface Place {
  /** Absolute folder of the file. */
  readonly folder: string;
  /** Absolute folder of the JSON Schemas. */
  readonly schemas: string;
  /** A path of the file that it comes from, as it must be written here. */
  readonly path: (path: string) => string;
}

/** A path that was relative to one folder, relative to another; absolute ones and those below `~` stay. */
export function movedPath(from: string, to: string): (path: string) => string {
  return (path) => {
    if (isAbsolute(path) || path === '~' || path.startsWith('~/') || from === to) return path;
    const moved = relative(to, resolve(from, path));
    return moved.startsWith('..') ? moved : `./${moved}`;
  };
}

/** A release file as a person would write it. */
export function releaseText(release: Release, place: Place): string {
  const { sources } = release;
  const registries = Object.entries(sources?.registries ?? {}).map(([host, source]) => [
    host,
    { ...source, ...(source.ca === undefined ? {} : { ca: place.path(source.ca) }) },
  ]);
  const moved =
    sources === undefined
      ? release
      : {
          ...release,
          sources: {
            ...sources,
            ...(sources.ca === undefined ? {} : { ca: place.path(sources.ca) }),
            ...(sources.registries === undefined ? {} : { registries: Object.fromEntries(registries) as object }),
          },
        };
  return textOf('release', moved, ['metadata', 'platforms', 'kubernetes.components'], place);
}

/** A site file as a person would write it: one line per host. */
export function siteText(site: Site, place: Place): string {
  const { registry, hosts } = site;
  const moved = {
    ...site,
    ...(hosts === undefined
      ? {}
      : { hosts: hosts.map((host) => ({ ...host, ...(host.key === undefined ? {} : { key: place.path(host.key) }) })) }),
    ...(registry === undefined
      ? {}
      : { registry: { ...registry, ...(registry.ca === undefined ? {} : { ca: place.path(registry.ca) }) } }),
  };
  const order = ['apiVersion', 'kind', 'metadata', 'trust', 'secrets'];
  const entries = Object.entries(moved).sort(([a], [b]) => rank(order, a) - rank(order, b));
  const flow = [
    'metadata',
    'hosts',
    'roles.*',
    'controlPlaneEndpoint',
    'kubernetes',
    'runtime',
    'network',
    'ingress',
    'registry.install',
  ];
  return textOf('site', Object.fromEntries(entries), flow, place);
}

/** `name: value` lines, every value in quotes, so that none is read as anything but text. */
export function secretsText(secrets: ReadonlyMap<string, Secret>): string {
  const values = [...secrets].map(([name, secret]) => `${JSON.stringify(name)}: ${JSON.stringify(secret.reveal())}\n`);
  return `# Secrets of the site: keep this file to yourself and out of version control.\n${values.join('')}`;
}

function rank(order: readonly string[], key: string): number {
  const at = order.indexOf(key);
  return at < 0 ? order.length : at;
}

/** @param flow keys whose value stands on one line; of a list of maps each item; `*` stands for every key */
function textOf(schema: 'release' | 'site', value: object, flow: readonly string[], { folder, schemas }: Place): string {
  const document = new Document(value);
  for (const path of flow) onOneLine(document.contents, path.split('.'));
  const comment = `# yaml-language-server: $schema=${join(relative(folder, schemas), `${schema}.schema.json`)}\n`;
  return `${comment}${document.toString({ lineWidth: 0, singleQuote: true })}`;
}

function onOneLine(node: unknown, [step, ...rest]: readonly string[]): void {
  if (step === undefined) {
    if (isSeq(node) && node.items.some(isMap)) for (const item of node.items) onOneLine(item, []);
    else if (isMap(node) || isSeq(node)) node.flow = true;
    return;
  }
  if (!isMap(node)) return;
  const keys = step === '*' ? node.items.map(({ key }) => key) : [step];
  for (const key of keys) onOneLine(node.get(key, true), rest);
}
