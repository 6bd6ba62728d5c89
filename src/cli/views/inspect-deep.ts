import type { DeepInspectResult } from '../../flows/inspect-deep.ts';
import type { Output } from '../output.ts';
import { said } from './lines.ts';

/** The end of `deliver inspect --html`, `--sbom`: what could not be analysed is said, not hidden in the file. */
export function viewInspectDeep({ notes }: DeepInspectResult, { style, width }: Pick<Output, 'style' | 'width'>): string[] {
  return notes.flatMap((note) => said('  ', note, width).map((line) => style.warn(line)));
}
