import { posix } from 'node:path';
import type { Release } from '../manifest/release-schema.ts';
import { appFileName } from './app-file-name.ts';

/** A file that a release carries: its own, those that apps mount, those that charts take values from. */
export interface NeededFile {
  readonly name: string;
  readonly title: string;
  /** Path relative to the release, or URL, as the release has it. */
  readonly source: string;
  /** Hex, when the release says it. */
  readonly sha256?: string | undefined;
  readonly neededBy: string;
}

/** The files of a release, in the order in which it names them. */
export function neededFiles(release: Release): readonly NeededFile[] {
  const own = (release.files ?? []).map((file): NeededFile => {
    const source = file.path ?? file.url ?? '';
    return { name: file.name, title: titleOf(source, file.name), source, sha256: file.sha256, neededBy: `file ${file.name}` };
  });
  const mounted = (release.apps ?? []).flatMap((app) =>
    Object.entries(app.files ?? {}).map(([path, source]): NeededFile => {
      return {
        name: appFileName(app.name, path),
        title: posix.basename(path),
        source,
        neededBy: `app ${app.name}, files ${path}`,
      };
    }),
  );
  const values = (release.charts ?? []).flatMap((chart) =>
    (chart.values ?? []).flatMap((source, index): NeededFile[] => {
      // A value of the site is known there, not here.
      if (source.startsWith('${')) return [];
      return [
        {
          name: `charts/${chart.name}/values-${index}`,
          title: titleOf(source, 'values.yaml'),
          source,
          neededBy: `chart ${chart.name}, values[${index}]`,
        },
      ];
    }),
  );
  return [...own, ...mounted, ...values];
}

/** The last part of a path or URL: what a person would call the file. */
function titleOf(source: string, otherwise: string): string {
  const path = URL.canParse(source) ? new URL(source).pathname : source;
  const title = posix.basename(path);
  return title === '' ? otherwise : title;
}
