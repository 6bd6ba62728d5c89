import type { DeepInspectResult } from '../../flows/inspect-deep.ts';
import type { Output } from '../output.ts';

/** The end of `deliver inspect --html`, `--sbom`: what could not be analysed is said, not hidden in the file. */
export function viewInspectDeep({ notes }: DeepInspectResult, { style }: Pick<Output, 'style'>): string[] {
  return notes.map((note) => `  ${style.warn(note)}`);
}
