import type { ImportResult } from '../../flows/import-kubekey.ts';
import { shortPath } from '../short-path.ts';
import { noteLines } from '../step-line.ts';
import type { Style } from '../style.ts';
import { widthOf } from '../text.ts';
import { MARK } from '../words.ts';

const WHAT = {
  release: 'the release: resolve it, then pack it',
  site: 'the site: name the keys that you trust under trust:',
  secrets: 'its passwords: only you may read it; keep it out of version control',
} as const;

/** What `deliver import kubekey` says: the files, and what became of fields that mean something else here. */
export function viewImport({ files, notes }: ImportResult, style: Style, width: number): string[] {
  return [
    ...files.flatMap(({ path, holds }) => {
      const line = `${style.good(MARK.done)} ${style.bold(shortPath(path))}`;
      const whole = `${line}   ${WHAT[holds]}`;
      return widthOf(whole) <= width ? [whole] : [line, ...noteLines(WHAT[holds], width)];
    }),
    ...notes.flatMap((note) =>
      noteLines(note, width).map((line, at) => (at === 0 ? `  ${style.warn(MARK.warn)} ${line.trim()}` : line)),
    ),
  ];
}
