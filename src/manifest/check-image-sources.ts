import { DeliverError } from '../core/errors.ts';
import { parseReference, type Reference } from '../core/reference.ts';
import { covers, parseImageLocation } from './image-location.ts';
import { interpolate } from './interpolate.ts';
import type { Part } from './parts.ts';
import type { JsonPath, Problem } from './problem.ts';
import { mapAt, type Raw } from './raw.ts';

/**
 * What is wrong with `sources.images`: names that are none or that no image of the release has, which would then be pulled from a
 * registry in silence, and places that are none.
 * @param images every image that the release names
 */
export function checkImageSources(raw: Raw, images: readonly Part<string>[]): Problem[] {
  const versions = mapAt(raw, ['versions']);
  const used = images.flatMap(({ value }) => attempt(() => parseReference(filled(value, versions)), []).value ?? []);
  return Object.entries(mapAt(raw, ['sources', 'images'])).flatMap(([name, places]) => {
    const path: JsonPath = ['sources', 'images', name];
    const list: readonly unknown[] = Array.isArray(places) ? places : [places];
    return [
      ...nameProblem(name, used, path),
      ...list.flatMap((place, at) =>
        typeof place === 'string'
          ? attempt(() => parseImageLocation(filled(place, versions)), Array.isArray(places) ? [...path, at] : path).problems
          : [],
      ),
    ];
  });
}

function nameProblem(name: string, used: readonly Reference[], path: JsonPath): Problem[] {
  const { value, problems } = attempt(() => used.some((reference) => covers(name, reference)), path);
  if (problems.length > 0)
    return name.includes('${') ? [{ path, message: 'can’t hold a variable: leave the tag out' }] : problems;
  return value === true ? [] : [...parsed(name, path), ...unused(name, path)];
}

/** Without images nothing was compared, and the name not even read. */
function parsed(name: string, path: JsonPath): Problem[] {
  return attempt(() => parseReference(name), path).problems;
}

function unused(name: string, path: JsonPath): Problem[] {
  return parsed(name, path).length > 0 ? [] : [{ path, message: `no image of this release is ${name}` }];
}

function filled(text: string, versions: Raw): string {
  return String(interpolate(text, { versions }));
}

interface Attempt<T> {
  readonly value?: T;
  readonly problems: Problem[];
}

/** Variables without a value are reported by checkVariables, with a suggestion. */
function attempt<T>(work: () => T, path: JsonPath): Attempt<T> {
  try {
    return { value: work(), problems: [] };
  } catch (error) {
    if (!(error instanceof DeliverError)) throw error;
    if (error.code === 'E_VARIABLE') return { problems: [] };
    return { problems: [{ path, message: [error.facts.what, error.facts.why].join(' '), code: error.code }] };
  }
}
