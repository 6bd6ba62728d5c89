import { bytesText, countText } from '../../core/amounts.ts';
import type { LeftOut } from '../../flows/left-out.ts';
import type { Style } from '../style.ts';

/** What a delta needs on site, for a person who may have thought it was everything. */
export function viewBase({ name, version, root, blobs, bytes }: LeftOut, style: Style): string[] {
  const needs = `${countText(blobs, 'blob')}, ${bytesText(bytes)}`;
  return [`  ${style.warn('delta')} on top of ${name} ${version}: ${needs} must be on site already`, `    base ${root}`];
}
