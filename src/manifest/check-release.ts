import { DeliverError } from '../core/errors.ts';
import { parseReference } from '../core/reference.ts';
import { AppSchema } from './app-schema.ts';
import { checkApp } from './check-app.ts';
import { checkGraph, type GraphNode } from './check-graph.ts';
import { checkVariables } from './check-variables.ts';
import { interpolate } from './interpolate.ts';
import { endpointProblem } from './ip-address.ts';
import { namesOf, partsOf, repeated, type Part } from './parts.ts';
import type { JsonPath, Problem } from './problem.ts';
import { ChartSchema, ExternalSchema } from './release-schema.ts';
import { variablesIn } from './variables.ts';

type Raw = Readonly<Record<string, unknown>>;

/** What no schema can say about a release: names that must be unique or known, circles, variables, image references. */
export function checkRelease(raw: Raw): Problem[] {
  const apps = partsOf(AppSchema, raw['apps'], ['apps']);
  const charts = partsOf(ChartSchema, raw['charts'], ['charts']);
  const names = [...namesOf(raw['externals'], ['externals']), ...namesOf(raw['apps'], ['apps']), ...namesOf(raw['charts'], ['charts'])];
  const waiting: readonly Part<{ name: string; dependsOn?: string[] | undefined }>[] = [...apps, ...charts];
  const nodes = waiting.map(({ path, value }): GraphNode => ({ name: value.name, needs: listed(value.dependsOn, [...path, 'dependsOn']) }));
  return [
    ...repeated(names).map(({ path, value }) => ({ path, message: `the name “${value}” is taken: apps, externals and charts share one list of names` })),
    ...repeated(namesOf(raw['files'], ['files'])).map(({ path, value }) => ({ path, message: `the file “${value}” is here twice` })),
    ...repeated(strings(raw['platforms'], ['platforms'])).map(({ path, value }) => ({ path, message: `${value} is here twice` })),
    ...checkGraph(nodes, new Set(names.map(({ value }) => value)), 'app, external or chart'),
    ...apps.flatMap(checkApp),
    ...partsOf(ExternalSchema, raw['externals'], ['externals']).flatMap(checkExternal),
    ...checkVariables(raw),
    ...checkImages(raw, apps),
    ...notYet(raw),
  ];
}

function checkExternal({ path, value }: Part<{ addresses: string | { ip: string }[] }>): Problem[] {
  if (typeof value.addresses === 'string') return [];
  return value.addresses.flatMap(({ ip }, index) => {
    const message = variablesIn(ip).length > 0 ? undefined : endpointProblem(ip);
    return message === undefined ? [] : [{ path: [...path, 'addresses', index, 'ip'], message }];
  });
}

function checkImages(raw: Raw, apps: readonly Part<{ image: string; initContainers?: { image: string }[] | undefined; sidecars?: { image: string }[] | undefined }>[]): Problem[] {
  const lists = ['initContainers', 'sidecars'] as const;
  const images = [
    ...strings(raw['images'], ['images']),
    ...apps.flatMap(({ path, value }) => [
      { path: [...path, 'image'], value: value.image },
      ...lists.flatMap((list) => (value[list] ?? []).map(({ image }, index) => ({ path: [...path, list, index, 'image'], value: image }))),
    ]),
  ];
  return images.flatMap(({ path, value }) => imageProblem(value, raw['versions'], path));
}

function imageProblem(image: string, versions: unknown, path: JsonPath): Problem[] {
  const late = variablesIn(image).filter((variable) => variable.scope !== 'versions');
  if (late.length > 0) {
    return [{ path, message: `an image can’t depend on ${late.map(({ text }) => text).join(', ')}: it must be known when packing`, code: 'E_VARIABLE' }];
  }
  try {
    parseReference(String(interpolate(image, { versions: isMap(versions) ? versions : {} })));
    return [];
  } catch (error) {
    // Unknown variables are reported by checkVariables, with a suggestion.
    if (!(error instanceof DeliverError) || error.code === 'E_VARIABLE') return [];
    return [{ path, message: [error.facts.what, error.facts.why].join(' '), code: error.code }];
  }
}

function notYet(raw: Raw): Problem[] {
  const kubernetes = raw['kubernetes'];
  const found: JsonPath[] = [
    ...(isMap(kubernetes) && kubernetes['components'] !== undefined ? [['kubernetes', 'components']] : []),
    ...(raw['manifests'] === undefined ? [] : [['manifests']]),
  ];
  return found.map((path) => ({ path, message: 'is not supported yet', code: 'E_NOT_YET' }));
}

function listed(values: readonly string[] | undefined, path: JsonPath): Part<string>[] {
  return (values ?? []).map((value, index) => ({ path: [...path, index], value }));
}

function strings(list: unknown, path: JsonPath): Part<string>[] {
  return Array.isArray(list) ? list.flatMap((value: unknown, index) => (typeof value === 'string' ? [{ path: [...path, index], value }] : [])) : [];
}

function isMap(value: unknown): value is Raw {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
