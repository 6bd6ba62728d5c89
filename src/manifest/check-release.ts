import { DeliverError } from '../core/errors.ts';
import { parseReference } from '../core/reference.ts';
import { AppSchema } from './app-schema.ts';
import { checkApp } from './check-app.ts';
import { checkImageSources } from './check-image-sources.ts';
import { checkGraph, type GraphNode } from './check-graph.ts';
import { checkVariables } from './check-variables.ts';
import { interpolate } from './interpolate.ts';
import { namesOf, partsOf, repeated, type Part } from './parts.ts';
import { itemsAt, listAt, mapAt, textAt, type Raw } from './raw.ts';
import type { JsonPath, Problem } from './problem.ts';
import { checkExternal } from './check-external.ts';
import { ExternalSchema } from './release-schema.ts';
import { variablesIn } from './variables.ts';

/** What no schema can say about a release: names that must be unique or known, circles, variables, image references. */
export function checkRelease(raw: Raw): Problem[] {
  const waiting = [...namesOf(raw.apps, ['apps']), ...namesOf(raw.charts, ['charts']), ...namesOf(raw.manifests, ['manifests'])];
  const names = [...namesOf(raw.externals, ['externals']), ...waiting];
  const nodes = waiting.map(({ path, value }): GraphNode => ({
    name: value,
    needs: listAt(raw, [...path.slice(0, -1), 'dependsOn']),
  }));
  return [
    ...repeated(names).map(({ path, value }) => ({
      path,
      message: `the name “${value}” is taken: apps, externals, charts and manifests share one list of names`,
    })),
    ...repeated(namesOf(raw.files, ['files'])).map(({ path, value }) => ({
      path,
      message: `the file “${value}” is here twice`,
    })),
    ...repeated(listAt(raw, ['platforms'])).map(({ path, value }) => ({ path, message: `${value} is here twice` })),
    ...checkGraph(nodes, new Set(names.map(({ value }) => value)), 'app, external, chart or manifests'),
    ...partsOf(AppSchema, raw.apps, ['apps']).flatMap(checkApp),
    ...partsOf(ExternalSchema, raw.externals, ['externals']).flatMap(checkExternal),
    ...checkVariables(raw),
    ...imagesIn(raw).flatMap(({ path, value }) => imageProblem(value, mapAt(raw, ['versions']), path)),
    ...checkImageSources(raw, imagesIn(raw)),
    ...urlsIn(raw).flatMap(checkUrl),
  ];
}

function imagesIn(raw: Raw): Part<string>[] {
  const inApp = (path: JsonPath): Part<string>[] => [
    ...textAt(raw, [...path, 'image']),
    ...['initContainers', 'sidecars'].flatMap((list) =>
      itemsAt(raw, [...path, list]).flatMap((at) => textAt(raw, [...at, 'image'])),
    ),
  ];
  return [...listAt(raw, ['images']), ...itemsAt(raw, ['apps']).flatMap(inApp)];
}

function imageProblem(image: string, versions: Raw, path: JsonPath): Problem[] {
  const late = variablesIn(image).filter((variable) => ['site', 'secret', 'outputs'].includes(variable.scope));
  if (late.length > 0) {
    return [
      {
        path,
        message: `an image can’t depend on ${late.map(({ text }) => text).join(', ')}: it must be known when packing`,
        code: 'E_VARIABLE',
      },
    ];
  }
  try {
    parseReference(String(interpolate(image, { versions })));
    return [];
  } catch (error) {
    // Unknown variables are reported by checkVariables, with a suggestion.
    if (!(error instanceof DeliverError) || error.code === 'E_VARIABLE') return [];
    return [{ path, message: [error.facts.what, error.facts.why].join(' '), code: error.code }];
  }
}

function urlsIn(raw: Raw): Part<string>[] {
  return [
    ...itemsAt(raw, ['files']).flatMap((at) => textAt(raw, [...at, 'url'])),
    ...itemsAt(raw, ['manifests']).flatMap((at) => textAt(raw, [...at, 'path'])),
    ...['files', 'base'].flatMap((map) =>
      Object.keys(mapAt(raw, ['sources', map])).flatMap((key) => textAt(raw, ['sources', map, key])),
    ),
    ...itemsAt(raw, ['charts']).flatMap((at) => [...textAt(raw, [...at, 'repo']), ...textAt(raw, [...at, 'chart'])]),
  ];
}

/** The release, its URLs included, goes into the lock and the bundle, where everyone can read it. */
function checkUrl({ path, value }: Part<string>): Problem[] {
  if (!URL.canParse(value)) return [];
  const { username, password } = new URL(value);
  if (username === '' && password === '') return [];
  return [{ path, message: 'must not hold a user name or password: it would travel inside the bundle' }];
}
